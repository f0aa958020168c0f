$SCAP info -j trigger.scapz | tr , '\n' | sed -n '/"trigger"/,/"segments"/p'
