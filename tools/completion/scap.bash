# SPDX-License-Identifier: MIT
# Completion for bash. Options come from the tool's own help, so that they can't drift.

_scap()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local verb=${COMP_WORDS[1]}
	COMPREPLY=()

	if [ "$COMP_CWORD" = 1 ] || { [ "$verb" = help ] && [ "$COMP_CWORD" = 2 ]; }; then
		local verbs
		verbs=$(scap --help 2>/dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p')
		mapfile -t COMPREPLY < <(compgen -W "$verbs --help --version" -- "$cur")
		return
	fi
	case $verb:$prev in
	watch:-t|watch:--trigger)
		mapfile -t COMPREPLY < <(compgen -W "http-5xx crash oom" -- "$cur")
		return
		;;
	watch:--dir)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	esac
	case $prev in
	-t|--time) mapfile -t COMPREPLY < <(compgen -W "a r d" -- "$cur"); return ;;
	--color) mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$cur"); return ;;
	--to)
		local words=trigger
		[ "$verb" != export ] || words="scap csv ndjson scapz"
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
		;;
	--from) mapfile -t COMPREPLY < <(compgen -W trigger -- "$cur"); return ;;
	--profile) mapfile -t COMPREPLY < <(compgen -W "sysdig falco" -- "$cur"); return ;;
	-p|--print|-n|--events|-A|--after|-B|--before|--tree|--count-by|--memory|--name|--why|--label) return ;;
	esac
	case $cur in
	-*)
		local options
		options=$(scap "$verb" --help 2>/dev/null | grep -o -e '^  -[a-zA-Z]' -e ' --[a-z-]*')
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		;;
	*)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	esac
}
complete -F _scap scap
