# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for idxdctl(1); what can be completed idxdctl itself says.

_idxdctl()
{
	local cur=$2 prev=$3 verb= i kind=

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-t | --type | -p | --parent | -u | --uuid | --wq | --placement | --numa-node | --min-size | --priority | --max-transfer-size | --max-batch-size | --pid | --pasid | \
		--host-wqs | --pool-min | --label | --timeout | -o | --output | --root) i=$((i + 1)) ;;
		-*) ;;
		*) verb=${COMP_WORDS[i]}; break ;;
		esac
	done

	case $prev in
	-t | --type) kind=types ;;
	-p | --parent) kind=accelerators ;;
	--wq) kind=wqs ;;
	--placement) COMPREPLY=($(compgen -W 'spread pack' -- "$cur")); return ;;
	-o | --output) COMPREPLY=($(compgen -W 'table wide json jsonl' -- "$cur")); return ;;
	--root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
	-u | --uuid | --numa-node | --min-size | --priority | --max-transfer-size | --max-batch-size | --pid | --pasid | --host-wqs | --pool-min | --label | --timeout) return ;;
	esac
	if [[ -z $kind ]]; then
		case $cur in
		-*) COMPREPLY=($(compgen -W "$(idxdctl --list-options 2>/dev/null)" -- "$cur")); return ;;
		esac
		[[ -n $verb ]] || { COMPREPLY=($(compgen -W "$(idxdctl --list-verbs 2>/dev/null)" -- "$cur")); return; }
		case $verb in
		apply | assert | plan) COMPREPLY=($(compgen -f -- "$cur")); return ;;
		esac
		kind=$verb
	fi
	# A PCI address has colons, at which bash breaks words.
	COMPREPLY=($(compgen -W "$(idxdctl --complete "$kind" 2>/dev/null)" -- "$cur"))
	[[ $(type -t __ltrim_colon_completions) != function ]] || __ltrim_colon_completions "$cur"
}

complete -F _idxdctl idxdctl
