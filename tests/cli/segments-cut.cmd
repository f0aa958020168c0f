# The first one's recorder was killed in the middle of a section: all of the second is read.
size=$(wc -c < whole.scapz)
{ head -c $((size / 2)) whole.scapz; cat story.scapz; } > c.scapz
$SCAP read c.scapz | sed 's/ .*//' | uniq -c | wc -l
$SCAP read c.scapz 2>&1 | grep -n -e INCOMPLETE -e ' vfork ' -e '^scap'
$SCAP verify c.scapz
rm c.scapz
