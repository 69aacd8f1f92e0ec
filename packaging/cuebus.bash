# SPDX-License-Identifier: Apache-2.0
# Completion of cuebus for bash. Needs nothing of the package bash-completion.

_cuebus_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_cuebus_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_cuebus() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} options

	COMPREPLY=()
	# --option=value comes as three words.
	if [ "$word" = = ]; then
		word=
	elif [ "$before" = = ] && [ "$COMP_CWORD" -gt 3 ]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [ "$COMP_CWORD" = 1 ]; then
		_cuebus_words "run check simulate schema healthcheck --version --help -V -h" "$word"
		return
	fi
	case $command in
	run) options="--config --log-format --verbose --help" ;;
	check) options="--help" ;;
	simulate) options="--input --until --replies --timeline --width --help" ;;
	schema) options="--markdown --man --help" ;;
	healthcheck) options="--config --timeout --help" ;;
	*) return ;;
	esac
	case $command:$before in
	run:-c | run:--config | healthcheck:-c | healthcheck:--config | simulate:-i | simulate:--input)
		_cuebus_files "$word"
		return
		;;
	run:-l | run:--log-format)
		_cuebus_words "text json" "$word"
		return
		;;
	healthcheck:-t | healthcheck:--timeout | simulate:-u | simulate:--until | simulate:-w | simulate:--width)
		return
		;;
	esac
	case $command:$word in
	*:-*) _cuebus_words "$options" "$word" ;;
	check:* | simulate:*) _cuebus_files "$word" ;;
	schema:*) _cuebus_words "$("${COMP_WORDS[0]}" schema 2>/dev/null)" "$word" ;;
	*) _cuebus_words "$options" "$word" ;;
	esac
}

complete -F _cuebus cuebus
