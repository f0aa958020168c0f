bad()
{
	printf "$1" > c.yaml
	$SCAP watch -c c.yaml --check-config
	echo "$?"
}
bad 'triggers:\n- name: x\n'
bad 'triggers:\n- filter: evt.type=open\n'
bad 'triggers:\n- on: event\n  name: x\n'
bad 'triggers:\n- on: timer\n'
bad 'triggers:\n- on: hand\n  filter: evt.type=open\n'
bad 'triggers:\n- on: alert\n  builtin: oom\n'
bad 'triggers:\n- on: alert\n  count: 5\n  within: 5s\n'
bad 'triggers:\n- builtin: panic\n'
bad 'triggers:\n- builtin: oom\n  count: 5\n'
bad 'triggers:\n- builtin: oom\n  within: 5s\n'
bad 'triggers:\n- builtin: oom\n  count: 1\n  within: 5s\n'
bad 'triggers:\n- builtin: oom\n  count: 0\n'
bad 'triggers:\n- builtin: oom\n  name: Out Of Memory\n'
bad 'triggers:\n- builtin: oom\n  name: -x\n'
bad 'triggers:\n- builtin: oom\n  name: ../../etc\n'
bad "triggers:\n- builtin: oom\n  name: $(printf %041d 0)\n"
bad 'triggers:\n- name: x\n  filter: evt.tpye=open\n'
bad 'triggers:\n- name: x\n  filter: evt.type=open and\n'
bad 'triggers:\n- name: x\n  filter: ""\n'
bad 'triggers:\n- name: x\n  filter: |\n    evt.type=open\n    and proc.nam=x\n'
bad 'triggers:\n- name: x\n  filter: [evt.type=open]\n'
bad 'triggers:\n- on: hand\n  keep: evt.typ=open\n'
bad 'triggers:\n- on: hand\n  before: 25h\n'
bad 'triggers:\n- on: hand\n  max-size: huge\n'
bad 'triggers:\n- on: hand\n  per-hour: -1\n'
bad 'triggers:\n- builtin: oom\n- builtin: crash\n- builtin: oom\n'
bad 'triggers:\n- on: hand\n- {name: second, on: hand}\n'
bad 'triggers:\n- on: alert\n- {name: second, on: alert}\n'
bad 'triggers:\n- name: hand\n  filter: evt.type=open\n'
# Each is a filter, but not both together.
long=$(head -c 65500 /dev/zero | tr '\0' ' ')
printf 'triggers:\n- builtin: oom\n  filter: "evt.type=open%s"\n' "$long" > c.yaml
$SCAP watch -c c.yaml --check-config
echo "$?"
