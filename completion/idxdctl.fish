# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for idxdctl(1); what can be completed idxdctl itself says.

function __idxdctl_verb
    set -l words (commandline -opc)
    set -l verbs (idxdctl --list-verbs 2>/dev/null)
    for word in $words[2..-1]
        if contains -- $word $verbs
            echo $word
            return 0
        end
    end
    return 1
end

function __idxdctl_objects
    set -l verb (__idxdctl_verb)
    and idxdctl --complete $verb 2>/dev/null
end

function __idxdctl_takes_file
    contains -- (__idxdctl_verb) apply assert plan
end

complete -c idxdctl -f
complete -c idxdctl -n 'not __idxdctl_verb >/dev/null' -a '(idxdctl --list-verbs 2>/dev/null)'
complete -c idxdctl -n '__idxdctl_verb >/dev/null; and not __idxdctl_takes_file' -a '(__idxdctl_objects)'
complete -c idxdctl -n __idxdctl_takes_file -F
complete -c idxdctl -a '(idxdctl --list-options 2>/dev/null)' -n 'string match -q -- "-*" (commandline -ct)'
complete -c idxdctl -s t -l type -x -a '(idxdctl --complete types 2>/dev/null)'
complete -c idxdctl -s p -l parent -x -a '(idxdctl --complete accelerators 2>/dev/null)'
complete -c idxdctl -l wq -x -a '(idxdctl --complete wqs 2>/dev/null)'
complete -c idxdctl -l placement -x -a 'spread pack'
complete -c idxdctl -s o -l output -x -a 'table wide json jsonl'
complete -c idxdctl -l root -x -a '(__fish_complete_directories)'
