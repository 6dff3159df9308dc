# Completion of mq, mq-send, mq-recv, mq-ack, mq-stat, mq-dlq, mq-queue, mq-topic, mq-log, mq-tx and mq-bridge for bash.
# Installed once under the name of each, so that bash-completion finds it when one is first completed.
# shellcheck shell=bash

# The options of a program, or of all its commands; those that take a value end in "=".
__mq_options() {
    local common='-S --spool= -q --quiet -v --verbose -? --help --usage -V --version'
    case $1 in
    mq) echo '-? --help --usage -V --version' ;;
    mq-send)
        echo "$common -f --file= -l --lines -0 --null -j --json -H --header= --type= --content-type= --correlation-id=" \
            "--reply-to= -p --priority= -d --delay= --at= --ttl= --max-attempts= -i --id= -k --routing-key= -g --message-group= --batch= --linger= --no-sync --once -b --block --block=" \
            "--request --request= --tx= --progress"
        ;;
    mq-recv)
        echo "$common -a --auto-ack -w --wait= --no-wait -n --count= -f --follow -l --lines -0 --null -j --json" \
            "--ack-every= --together -t --ack-timeout= --fair --create --from= -P --parallel= --until-empty --max-rate= --body-file --reject-on=" \
            "--timeout= --kill-after= --grace= --reply --reply-any --once --tx --save --output= --format= --progress"
        ;;
    mq-ack) echo "$common --nack --delay= --reject --reason= -e --extend= --release" ;;
    mq-stat)
        echo "$common -j --json -x --exact --format= --sort= --filter= -w --watch --watch= --ages --inflight" \
            "--capacity --capacity= --prometheus --prometheus= --output= --check= --warn="
        ;;
    mq-dlq) echo "$common -j --json -n --count= -m --match= --newest --format= --to= --older-than= --all --dry-run" ;;
    mq-queue) echo "$common -j --json -n --count= --newest --state= -i --id= -m --match= --older-than= --all --dry-run --format= --once --send --receive --mode= --group= --from=" \
        "--failed --attempt= -f --follow --force --repair -t --timeout=" ;;
    mq-topic) echo "$common -j --json -k --routing-key= -m --match= --any -n --count= -w --wait= -l --lines -0 --null" \
        "--mode= --group=" ;;
    mq-log) echo "$common -j --json --from= --to= -k --routing-key= -m --match= --any -n --count= -f --follow -l --lines -0 --null --force --dry-run" ;;
    mq-tx) echo "$common -j --json -t --timeout= --ack=" ;;
    mq-bridge) echo "$common -f --follow -n --count= --until-empty --max-rate= --create" ;;
    esac
}

# Whether a word is an option whose value is the next word.
__mq_takes_value() {
    case $1 in
    --*=*) return 1 ;;
    --block | -b | --watch | --capacity | --prometheus | --request) return 1 ;;
    -S | -f | -H | -p | -d | -i | -w | -n | -t | -e | -m | -P | -k) ;;
    --*) [[ " $(__mq_options "$2") " == *" $1= "* ]] && return ;;
    *) return 1 ;;
    esac
    # -f of mq-recv, mq-log and mq-bridge is --follow, and -w of mq-stat takes only what is glued to it.
    [[ $1 != --* && $1$2 != -fmq-recv && $1$2 != -fmq-log && $1$2 != -fmq-bridge && $1$2 != -wmq-stat ]]
}

# Fill `words`, and `cur` with the last of them: what was typed up to the cursor. bash takes words apart at "=" and
# ":"; here they are put together again.
__mq_join_words() {
    local i word
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $i -gt 0 && ($word == [=:]* || ${COMP_WORDS[i - 1]} == [=:]) ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
    done
    cur=${words[-1]}
}

# Fill `spool` (as options) and `operands` from the words before the cursor.
__mq_read_line() {
    local i word
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        word=${words[i]}
        case $word in
        -S | --spool) spool=(-S "${words[i + 1]}") ;;
        --spool=*) spool=(-S "${word#*=}") ;;
        -S?*) spool=(-S "${word#-S}") ;;
        esac
        if __mq_takes_value "$word" "$program"; then
            ((++i))
        elif [[ $word != -?* ]]; then
            operands+=("$word")
        fi
    done
    [[ -z ${spool[1]-} ]] || spool[1]=${spool[1]/#\~/$HOME}
}

__mq_queues() {
    mq-queue "${spool[@]}" list 2>/dev/null
}

# URLs of the schemes that there are programs for.
__mq_schemes() {
    compgen -c mq-bridge- | sed 's/^mq-bridge-//; s/$/:\/\//' | sort -u
}

__mq_topics() {
    mq-stat "${spool[@]}" --format='{topic}' 2>/dev/null
}

__mq_logs() {
    mq-log "${spool[@]}" list -j 2>/dev/null | sed -n 's/.*"log": *"\([^"]*\)".*/\1/p'
}

__mq_log_keys() {
    printf '%s=\n' durability max-size retain-time retain-size retain-count dedup-window
}

__mq_transactions() {
    mq-tx "${spool[@]}" -j list 2>/dev/null | sed -n 's/.*"tx": *"\([^"]*\)".*"state": *"open".*/\1/p'
}

__mq_dead_ids() {
    mq-dlq "${spool[@]}" -j list "$1" 2>/dev/null | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p'
}

__mq_ids() { # QUEUE STATE...
    local queue=$1
    shift
    mq-queue "${spool[@]}" -j peek -n 1000 "${@/#/--state=}" "$queue" 2>/dev/null | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p'
}

__mq_result_ids() { # QUEUE
    mq-queue "${spool[@]}" -j history --newest -n 1000 "$1" 2>/dev/null | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' | sort -u
}

__mq_keys() {
    mq-queue config "$1" "${spool[@]}" 2>/dev/null | sed 's/ *=.*/=/' | grep . ||
        printf '%s=\n' durability ack-timeout max-attempts retry-delay retry-max-delay ttl on-expiry max-size \
            max-depth max-bytes overflow dead-ttl dead-letter batch-count batch-size dedup-window keep-results keep-results-size require paused on-dead order order-by
}

__mq_figures() {
    printf '%s\n' queue ready delayed inflight dead oldest lag size in out errors in_1m in_5m in_15m out_1m out_5m \
        out_15m errors_1m errors_5m errors_15m held paused sent delivered redelivered acked retried failed \
        duplicates dropped consumers consumers_waiting consumers_working expired died died_rejected died_max_attempts died_expired died_corrupt died_overflow \
        topic bindings published routed unroutable topic_duplicates transactions_open transactions_unfinished
}

# The values that an option takes.
__mq_values() {
    case $1 in
    --format) [[ $program != mq-stat ]] || compgen -W "$(__mq_figures)" -- "$cur" ;;
    --sort | --filter | --check | --warn) compgen -W "$(__mq_figures)" -- "$cur" ;;
    --prometheus) compgen -W 'text openmetrics' -- "$cur" ;;
    --output) compgen -f -- "$cur" ;;
    -S | --spool) compgen -d -- "$cur" ;;
    -f | --file) compgen -f -- "$cur" ;;
    --tx) compgen -W "$(__mq_transactions)" -- "$cur" ;;
    --reply-to) compgen -W "$(__mq_queues)" -- "$cur" ;;
    --to) [[ $program == mq-log ]] || compgen -W "$(__mq_queues)" -- "$cur" ;;
    --mode) compgen -W '660 640 620 644 622 666' -- "$cur" ;;
    --from) compgen -W 'beginning end' -- "$cur" ;;
    --group) compgen -A group -- "$cur" ;;
    --state) compgen -W 'ready delayed inflight dead all' -- "$cur" ;;
    -p | --priority) compgen -W '0 1 2 3 4 5 6 7 8 9' -- "$cur" ;;
    esac
}

__mq_operands() {
    local command=${operands[0]-} queue=${operands[1]-}
    case $program/${#operands[@]} in
    mq-recv/*) __mq_queues ;;
    mq-send/0) __mq_queues && __mq_topics && __mq_logs ;;
    mq-stat/*) __mq_queues && __mq_topics ;;
    mq-dlq/0) printf '%s\n' list show retry purge ;;
    mq-queue/0) printf '%s\n' create config list peek history output remove set release move copy purge export import pause resume delete sweep check events doctor wait ;;
    mq-topic/0) printf '%s\n' create bind unbind list route follow config delete ;;
    mq-topic/1) [[ $command == create ]] || __mq_topics ;;
    mq-topic/*)
        case $command in
        bind | unbind) __mq_queues && __mq_topics ;;
        create | config) printf '%s=\n' unroutable durability dedup-window ;;
        esac
        ;;
    mq-log/0) printf '%s\n' create read seek list config trim delete ;;
    mq-log/1)
        case $command in
        seek) __mq_queues | grep / ;;
        create) ;;
        *) __mq_logs ;;
        esac
        ;;
    mq-log/*)
        case $command in
        list | trim) __mq_logs ;;
        seek) printf '%s\n' beginning end ;;
        create | config) __mq_log_keys ;;
        esac
        ;;
    mq-tx/0) printf '%s\n' begin commit abort put list run ;;
    mq-tx/1) [[ $command != @(commit|abort|put) ]] || __mq_transactions ;;
    mq-tx/2) [[ $command != put ]] || compgen -f -- "$cur" ;;
    mq-bridge/0) __mq_queues && __mq_schemes ;;
    mq-bridge/1) __mq_queues && __mq_topics && __mq_schemes ;;
    mq-dlq/1) __mq_queues ;;
    mq-dlq/*) [[ $command == list ]] || __mq_dead_ids "$queue" ;;
    mq-queue/1)
        [[ $command == @(create|list) ]] || __mq_queues
        [[ $command != check ]] || { __mq_logs && __mq_topics; }
        ;;
    mq-queue/*)
        case $command in
        check) __mq_queues && __mq_logs && __mq_topics ;;
        sweep | events) __mq_queues ;;
        create | config) __mq_keys "$queue" ;;
        move | copy) if ((${#operands[@]} == 2)); then __mq_queues; else __mq_ids "$queue" ready delayed; fi ;;
        peek | purge) __mq_ids "$queue" all ;;
        history | output) __mq_result_ids "$queue" ;;
        remove) __mq_ids "$queue" ready delayed ;;
        set) printf '%s=\n' priority delay ttl && __mq_ids "$queue" ready delayed ;;
        release) __mq_ids "$queue" inflight ;;
        esac
        ;;
    esac
}

# Of the words on standard input those that are not on the line yet; a key that ends in "=" is there with any value.
__mq_untyped() {
    local line typed
    while IFS= read -r line; do
        for typed in "${operands[@]}"; do
            [[ $typed != "$line" && ($line != *= || $typed != "$line"*) ]] || continue 2
        done
        printf '%s\n' "$line"
    done
}

# Behind the "--" of mq-recv comes a command with its arguments.
__mq_command() {
    local i first
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} != -- ]] || break
    done
    first=$((i + 1))
    ((first <= COMP_CWORD)) || return 1
    if declare -F _command_offset >/dev/null; then
        _command_offset "$first"
    elif ((first == COMP_CWORD)); then
        mapfile -t COMPREPLY < <(compgen -c -- "$cur")
    else
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}

__mq_setting_values() {
    case $1 in
    durability) echo full none ;;
    on-expiry) echo dead drop ;;
    on-dead) echo continue halt ;;
    paused) echo none receive send all ;;
    overflow) echo refuse drop-oldest dead-oldest ;;
    max-attempts | ttl | max-depth | max-bytes | dead-ttl | dead-letter | require) echo none ;;
    esac
}

# The names of the programs that mq runs.
__mq_names() {
    compgen -c mq- | sed 's/^mq-//' | sort -u
    echo help
}

# What follows `mq`: a name, or what the program of that name completes.
__mq_program() {
    local name=${COMP_WORDS[1]} completion
    if ((COMP_CWORD == 1)); then
        local names
        case $name in
        -*) names=$(__mq_options mq) ;;
        *) names=$(__mq_names) ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "$names" -- "$name")
    elif [[ $name == help ]]; then
        ((COMP_CWORD > 2)) || mapfile -t COMPREPLY < <(compgen -W "$(__mq_names) mq libmq spool tutorial" -- "${COMP_WORDS[2]}")
    else
        COMP_WORDS=("mq-$name" "${COMP_WORDS[@]:2}")
        COMP_LINE=mq-${COMP_LINE#*[[:space:]]} COMP_POINT=$((COMP_POINT - (${#1} + 1) + 3))
        ((COMP_CWORD--))
        completion=$(complete -p "mq-$name" 2>/dev/null | sed -n 's/.* -F \([^ ]*\) .*/\1/p')
        if [[ -n $completion ]]; then
            "$completion" "mq-$name" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        else
            compopt -o default 2>/dev/null
        fi
    fi
}

_mq() {
    if [[ ${1##*/} == mq ]]; then
        __mq_program "$1"
        return 0
    fi
    local words=() cur program=${1##*/} spool=() operands=() option glued=
    __mq_join_words
    if [[ $program == mq-recv ]] && __mq_command; then
        return 0
    fi
    __mq_read_line
    option=${words[-2]-}
    # Behind "=" bash wants back only the value.
    if [[ $cur == -*=* ]]; then
        option=${cur%%=*} glued=yes cur=${cur#*=}
        mapfile -t COMPREPLY < <(__mq_values "$option")
    elif __mq_takes_value "$option" "$program"; then
        mapfile -t COMPREPLY < <(__mq_values "$option")
    elif [[ $program == mq-send && ${#operands[@]} -ge 2 ]]; then
        option= # the body, whose words are no options
    elif [[ $cur == -* && " ${words[*]} " != *' -- '* ]]; then
        option=
        mapfile -t COMPREPLY < <(compgen -W "$(__mq_options "$program")" -- "$cur")
    elif [[ $program == mq-queue && $cur == *=* ]]; then
        option=${cur%%=*} glued=yes cur=${cur#*=}
        mapfile -t COMPREPLY < <(compgen -W "$(__mq_setting_values "$option")" -- "$cur")
    else
        option=
        mapfile -t COMPREPLY < <(compgen -W "$(__mq_operands | __mq_untyped)" -- "$cur")
    fi
    case $option in
    -S | --spool | -f | --file | --output) compopt -o filenames 2>/dev/null ;;
    esac
    if [[ -n $glued && $COMP_WORDBREAKS != *=* ]]; then
        COMPREPLY=("${COMPREPLY[@]/#/$option=}")
    fi
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
    return 0
}

complete -F _mq mq mq-send mq-recv mq-ack mq-stat mq-dlq mq-queue mq-topic mq-log mq-tx mq-bridge
