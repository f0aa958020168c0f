$SCAP export --to pcap story.scapz
