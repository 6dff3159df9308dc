# Completion of mq, mq-send, mq-recv, mq-ack, mq-stat, mq-dlq, mq-queue, mq-topic, mq-log, mq-tx and mq-bridge for fish.
# Installed once under the name of each, so that fish finds it when one is first completed.

# The -S option that is on the command line already, as arguments.
function __mq_spool
    set -l words (commandline -opc)
    for i in (seq 2 (count $words))
        switch $words[$i]
            case -S --spool
                test $i -lt (count $words); and printf '%s\n' -S $words[(math $i + 1)]
            case '--spool=*'
                printf '%s\n' -S (string replace -- --spool= '' $words[$i])
            case '-S?*'
                printf '%s\n' -S (string sub -s 3 -- $words[$i])
        end
    end
end

# Of the words given those that are not on the line yet.
function __mq_untyped
    set -l words (commandline -opc)
    for word in $argv
        contains -- $word $words; or printf '%s\n' $word
    end
end

function __mq_queues
    __mq_untyped (mq-queue (__mq_spool) list 2>/dev/null)
end

# URLs of the schemes that there are programs for.
function __mq_schemes
    complete -C mq-bridge- | string replace -rf '^mq-bridge-(\S+).*' '$1://'
end

# Whether the command of mq-recv begins before the cursor.
function __mq_is_in_command
    contains -- -- (commandline -opc)
end

function __mq_command
    set -l words (commandline -opc)
    set -l place (contains -i -- -- $words)
    if test (count $words) -eq $place
        __fish_complete_command
    else
        __fish_complete_path (commandline -ct)
    end
end

# The words that are neither options nor values of options: the command, the queue, and so on.
function __mq_operands
    set -l words (commandline -opc)
    set -l skip no
    for word in $words[2..-1]
        if test $skip = yes
            set skip no
            continue
        end
        switch $word
            case -S --spool -n --count --state -i --id --older-than -m --match --to -t --timeout
                set skip yes
            case '-*'
            case '*'
                printf '%s\n' $word
        end
    end
end

function __mq_has_operands # NUMBER [COMMAND…]: so many, and the first is one of these
    set -l operands (__mq_operands)
    test (count $operands) -eq $argv[1]; or return
    test (count $argv) -eq 1; or contains -- "$operands[1]" $argv[2..-1]
end

function __mq_has_queue # COMMAND…: a queue follows one of these commands
    set -l operands (__mq_operands)
    test (count $operands) -ge 2; and contains -- "$operands[1]" $argv
end

function __mq_topics
    mq-stat (__mq_spool) --format='{topic}' 2>/dev/null
end

function __mq_logs
    mq-log (__mq_spool) list -j 2>/dev/null | sed -n 's/.*"log": *"\([^"]*\)".*/\1/p'
end

function __mq_transactions
    mq-tx (__mq_spool) -j list 2>/dev/null | sed -n 's/.*"tx": *"\([^"]*\)".*"state": *"open".*/\1/p'
end

function __mq_dead_ids
    set -l operands (__mq_operands)
    __mq_untyped (mq-dlq (__mq_spool) -j list $operands[2] 2>/dev/null | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p')
end

function __mq_ids # STATE…
    set -l operands (__mq_operands)
    __mq_untyped (mq-queue (__mq_spool) -j peek -n 1000 --state=$argv $operands[2] 2>/dev/null |
        sed -n 's/.*"id": *"\([^"]*\)".*/\1/p')
end

function __mq_result_ids
    set -l operands (__mq_operands)
    __mq_untyped (mq-queue (__mq_spool) -j history --newest -n 1000 $operands[2] 2>/dev/null |
        sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' | sort -u)
end

function __mq_figures
    printf '%s\n' queue ready delayed inflight dead oldest lag size in out errors in_1m in_5m in_15m out_1m out_5m \
        out_15m errors_1m errors_5m errors_15m held paused sent delivered redelivered acked retried failed \
        duplicates dropped consumers consumers_waiting consumers_working expired died died_rejected died_max_attempts died_expired died_corrupt died_overflow \
        topic bindings published routed unroutable topic_duplicates transactions_open transactions_unfinished
end

function __mq_settings
    set -l word (commandline -ct)
    switch $word
        case 'durability=*'
            printf 'durability=%s\n' full none
        case 'on-expiry=*'
            printf 'on-expiry=%s\n' dead drop
        case 'paused=*'
            printf 'paused=%s\n' none receive send all
        case 'on-dead=*'
            printf 'on-dead=%s\n' continue halt
        case 'overflow=*'
            printf 'overflow=%s\n' refuse drop-oldest dead-oldest
        case '*'
            printf '%s=\n' durability ack-timeout max-attempts retry-delay retry-max-delay ttl on-expiry max-size \
                max-depth max-bytes overflow dead-ttl dead-letter batch-count batch-size dedup-window keep-results keep-results-size require paused on-dead order order-by
    end
end

# The names of the programs that mq runs.
function __mq_names
    complete -C mq- | string replace -rf '^mq-([^\t]*).*' '$1'
    echo help
end

# What follows `mq NAME`: what the program of that name completes.
function __mq_program
    set -l words (commandline -opc)
    complete -C "mq-"(string join ' ' -- (string escape -- $words[2..-1]))" "(commandline -ct)
end

function __mq_has_name
    test (count (commandline -opc)) -ge 2
end

complete -c mq -e
complete -c mq -f
complete -c mq -n 'not __mq_has_name' -s '?' -l help -d 'Print a summary of the options'
complete -c mq -n 'not __mq_has_name' -l usage -d 'Print a short summary'
complete -c mq -n 'not __mq_has_name' -s V -l version -d 'Print the version'
complete -c mq -n 'not __mq_has_name' -a '(__mq_names)' -d program
complete -c mq -n '__mq_has_name; and not contains -- help (commandline -opc)' -a '(__mq_program)'
complete -c mq -n '__mq_has_name; and test (commandline -opc)[-1] = help' -a '(__mq_names) mq libmq spool tutorial'

for program in mq-send mq-recv mq-ack mq-stat mq-dlq mq-queue mq-topic mq-log mq-tx mq-bridge
    complete -c $program -e
    complete -c $program -f
    complete -c $program -s S -l spool -x -a '(__fish_complete_directories)' -d 'Use this spool'
    complete -c $program -s q -l quiet -d 'Nothing but errors'
    complete -c $program -s v -l verbose -d 'Tell what is done'
    complete -c $program -s '?' -l help -d 'Print a summary of the options'
    complete -c $program -l usage -d 'Print a short summary'
    complete -c $program -s V -l version -d 'Print the version'
end
for program in mq-send mq-recv mq-stat mq-dlq mq-queue mq-topic mq-log mq-tx
    complete -c $program -s j -l json -d 'JSON, one object a line'
end
complete -c mq-recv -n 'not __mq_is_in_command' -a '(__mq_queues)' -d queue
complete -c mq-recv -n __mq_is_in_command -a '(__mq_command)'
for program in mq-send mq-stat
    complete -c $program -a '(__mq_queues)' -d queue
    complete -c $program -a '(__mq_topics)' -d topic
end

complete -c mq-send -s f -l file -r -F -d 'Take the body from a file'
complete -c mq-send -s l -l lines -d 'Each line is a message'
complete -c mq-send -s 0 -l null -d 'Each NUL-terminated record is a message'
complete -c mq-send -s H -l header -x -d 'Add a header, name: value'
complete -c mq-send -l type -x -d 'What kind of message it is'
complete -c mq-send -l content-type -x -d 'Media type of the body'
complete -c mq-send -s g -l message-group -x -d 'The message group, for ordered queues'
complete -c mq-send -l correlation-id -x -d 'What it belongs to'
complete -c mq-send -l reply-to -x -a '(__mq_queues)' -d 'Queue for the answer'
complete -c mq-send -s p -l priority -x -a '9 8 7 6 5 4 3 2 1 0' -d 'Priority, 9 first'
complete -c mq-send -s d -l delay -x -d 'Deliver no sooner than in this time'
complete -c mq-send -l at -x -d 'Deliver no sooner than at this time'
complete -c mq-send -l ttl -x -d 'Expire in this time'
complete -c mq-send -l max-attempts -x -d 'Deliver it so often at most'
complete -c mq-send -s i -l id -x -d 'Give the message this id'
complete -c mq-send -s k -l routing-key -x -d 'By what topics route it'
complete -c mq-send -l batch -x -d 'Messages in a file at most'
complete -c mq-send -l linger -x -d 'How long a record waits for others'
complete -c mq-send -l no-sync -d 'Do not wait for the disk'
complete -c mq-send -l progress -d 'Show how much is sent'
complete -c mq-send -l once -d 'Send nothing that was sent within the dedup-window'
complete -c mq-send -s b -l block -d 'Wait while the queue is full'
complete -c mq-send -l tx -x -a '(__mq_transactions)' -d 'Send as part of this transaction'
complete -c mq-send -l request -d 'Wait for a reply and print it'

complete -c mq-recv -s a -l auto-ack -d 'Print the body alone, then acknowledge'
complete -c mq-recv -s w -l wait -x -d 'Wait this long at most'
complete -c mq-recv -l no-wait -d 'Do not wait'
complete -c mq-recv -s n -l count -x -d 'Receive up to so many'
complete -c mq-recv -s f -l follow -d 'Receive one after the other'
complete -c mq-recv -s l -l lines -d 'A newline behind each body'
complete -c mq-recv -s 0 -l null -d 'A NUL byte behind each body'
complete -c mq-recv -l ack-every -x -d 'Ack after so many messages'
complete -c mq-recv -s t -l ack-timeout -x -d 'How long the claim lives'
complete -c mq-recv -l together -d 'What was sent together has one receipt'
complete -c mq-recv -l fair -d 'Take from the queues in turn'
complete -c mq-recv -l create -d 'Make the queues that are not there'
complete -c mq-recv -l from -x -a 'beginning end' -d 'Where a group begins that is made'
complete -c mq-recv -s P -l parallel -x -d 'Run so many commands at once'
complete -c mq-recv -l until-empty -d 'End when no message is ready'
complete -c mq-recv -l max-rate -x -d 'Start no more commands than n/s, n/m or n/h'
complete -c mq-recv -l body-file -d 'Give the body as a file'
complete -c mq-recv -l reject-on -x -d 'Exit statuses that make a dead letter'
complete -c mq-recv -l timeout -x -d 'Stop a command that runs for this long'
complete -c mq-recv -l kill-after -x -d 'Send SIGKILL this long after SIGTERM'
complete -c mq-recv -l grace -x -d 'How long commands get to finish after a signal'
complete -c mq-recv -l reply -d 'Send what the command prints as the reply'
complete -c mq-recv -l reply-any -d 'The same, to whatever queue the message names'
complete -c mq-recv -l once -d 'Do not run what was acknowledged before'
complete -c mq-recv -l format -x -d 'Print by a template such as {id} {body}'
complete -c mq-recv -l progress -d 'Show how much is done'
complete -c mq-recv -l save -d 'Keep what each command prints'
complete -c mq-recv -l output -x -a 'interleave group tag' -d 'How to pass on what commands print'
complete -c mq-recv -l tx -d 'What the command sends is one with the ack'

complete -c mq-ack -l nack -d 'It failed: deliver it again'
complete -c mq-ack -l delay -x -d 'With --nack: after this time'
complete -c mq-ack -l reject -d 'It will never work: a dead letter'
complete -c mq-ack -l reason -x -d 'With --reject: why'
complete -c mq-ack -s e -l extend -x -d 'More time is needed'
complete -c mq-ack -l release -d 'It was not tried: back to its place'

complete -c mq-stat -s x -l exact -d 'Count by listing'
complete -c mq-stat -l format -x -a '(__mq_figures)' -d 'Show these figures'
complete -c mq-stat -l sort -x -a '(__mq_figures)' -d 'Sort by this figure'
complete -c mq-stat -l filter -x -a '(__mq_figures)' -d 'Only queues of which this is true'
complete -c mq-stat -s w -l watch -d 'Look again and again'
complete -c mq-stat -l ages -d 'How many messages of what age'
complete -c mq-stat -l inflight -d 'Who holds which message until when'
complete -c mq-stat -l capacity -d 'How many consumers are needed'
complete -c mq-stat -l prometheus -a 'text openmetrics' -d 'Print metrics'
complete -c mq-stat -l output -r -F -d 'Put the metrics into a file'
complete -c mq-stat -l check -x -a '(__mq_figures)' -d 'Critical where this is true'
complete -c mq-stat -l warn -x -a '(__mq_figures)' -d 'A warning where this is true'

complete -c mq-dlq -n '__mq_has_operands 0' -a 'list show retry purge'
complete -c mq-dlq -n '__mq_has_operands 1' -a '(__mq_queues)' -d queue
complete -c mq-dlq -n '__mq_has_queue show retry purge' -a '(__mq_dead_ids)' -d 'dead letter'
complete -c mq-dlq -s n -l count -x -d 'So many at most'
complete -c mq-dlq -l newest -d 'Those that died last first'
complete -c mq-dlq -s m -l match -x -d 'Only those with this header'
complete -c mq-dlq -l format -x -d 'Print by a template such as {id} {reason}'
complete -c mq-dlq -l to -x -a '(__mq_queues)' -d 'Retry into this queue'
complete -c mq-dlq -l older-than -x -d 'Only what died longer ago'
complete -c mq-dlq -l all -d 'All of them'
complete -c mq-dlq -l dry-run -d 'Change nothing, print the ids'

complete -c mq-queue -n '__mq_has_operands 0' -a 'create config list peek history output remove set release move copy purge export import pause resume delete sweep check events doctor wait'
complete -c mq-queue -n '__mq_has_operands 1 config peek history output remove set release move copy purge export import pause resume delete sweep check events wait' -a '(__mq_queues)' -d queue
complete -c mq-queue -n '__mq_has_queue sweep check events' -a '(__mq_queues)' -d queue
complete -c mq-queue -n '__mq_has_operands 1 check' -a '(__mq_logs)' -d log
complete -c mq-queue -n '__mq_has_operands 1 check' -a '(__mq_topics)' -d topic
complete -c mq-queue -n '__mq_has_queue check' -a '(__mq_logs)' -d log
complete -c mq-queue -n '__mq_has_queue check' -a '(__mq_topics)' -d topic
complete -c mq-queue -n '__mq_has_queue create config' -a '(__mq_settings)'
complete -c mq-queue -n '__mq_has_queue set' -a 'priority= delay= ttl='
complete -c mq-queue -n '__mq_has_queue peek purge' -a '(__mq_ids all)' -d message
complete -c mq-queue -n '__mq_has_queue history output' -a '(__mq_result_ids)' -d message
complete -c mq-queue -n '__mq_has_operands 2 move copy' -a '(__mq_queues)' -d queue
complete -c mq-queue -n '__mq_has_operands 3 move copy' -a '(__mq_ids ready delayed)' -d message
complete -c mq-queue -n '__mq_has_queue remove set' -a '(__mq_ids ready delayed)' -d message
complete -c mq-queue -n '__mq_has_queue release' -a '(__mq_ids inflight)' -d message
complete -c mq-queue -s n -l count -x -d 'So many at most'
complete -c mq-queue -l newest -d 'The newest first'
complete -c mq-queue -s m -l match -x -d 'Only those with this header'
complete -c mq-queue -l state -x -a 'ready delayed inflight dead all' -d 'Messages in this state'
complete -c mq-queue -s i -l id -x -d 'The message with this id'
complete -c mq-queue -l older-than -x -d 'Only what is older'
complete -c mq-queue -l all -d 'All messages'
complete -c mq-queue -l dry-run -d 'Change nothing, print the ids'
complete -c mq-queue -l format -x -d 'Print by a template such as {id} {body}'
complete -c mq-queue -l once -d 'Import nothing twice'
complete -c mq-queue -l send -d 'Pause or resume only senders'
complete -c mq-queue -l receive -d 'Pause or resume only receivers'
complete -c mq-queue -l mode -x -a '660 640 620 644 622 666' -d 'Who may use a new queue'
complete -c mq-queue -l from -x -a 'beginning end' -d 'Where a new group of a log begins'
complete -c mq-queue -l group -x -a '(__fish_complete_groups)' -d 'The group of a new queue'
complete -c mq-queue -l failed -d 'Only what did not succeed'
complete -c mq-queue -l attempt -x -d 'The output of this attempt'
complete -c mq-queue -s f -l follow -d 'Go on until the command has ended'
complete -c mq-queue -l force -d 'Delete a queue with its messages'
complete -c mq-queue -l repair -d 'Move what does not belong aside'
complete -c mq-queue -s t -l timeout -x -d 'Give up waiting after this time'

complete -c mq-topic -n '__mq_has_operands 0' -a 'create bind unbind list route follow config delete'
complete -c mq-topic -n '__mq_has_operands 1 bind unbind list route follow config delete' -a '(__mq_topics)' -d topic
complete -c mq-topic -n '__mq_has_operands 2 bind unbind' -a '(__mq_queues)' -d queue
complete -c mq-topic -n '__mq_has_operands 2 bind unbind' -a '(__mq_topics)' -d topic
complete -c mq-topic -n '__mq_has_queue create config' -a 'unroutable= durability=full durability=none dedup-window='
complete -c mq-topic -l mode -x -a '622 660 620 644 666' -d 'Who may use a new topic'
complete -c mq-topic -l group -x -a '(__fish_complete_groups)' -d 'The group of a new topic'
complete -c mq-topic -s k -l routing-key -x -d 'Keys that match this'
complete -c mq-topic -s m -l match -x -d 'Messages with this header'
complete -c mq-topic -l any -d 'Any of the headers is enough'
complete -c mq-topic -s n -l count -x -d 'End after so many messages'
complete -c mq-topic -s w -l wait -x -d 'Wait this long for each message'
complete -c mq-topic -s l -l lines -d 'End each body with a newline'
complete -c mq-topic -s 0 -l null -d 'End each body with a NUL'

complete -c mq-log -n '__mq_has_operands 0' -a 'create read seek list config trim delete'
complete -c mq-log -n '__mq_has_operands 1 read list config trim delete' -a '(__mq_logs)' -d log
complete -c mq-log -n '__mq_has_queue create config' -a 'durability= max-size= retain-time= retain-size= retain-count= dedup-window= keep-unread='
complete -c mq-log -l from -x -a 'beginning end' -d 'Begin there'
complete -c mq-log -l to -x -d 'End before this'
complete -c mq-log -s n -l count -x -d 'End after so many messages'
complete -c mq-log -s f -l follow -d 'Wait for more messages'
complete -c mq-log -s k -l routing-key -x -d 'Keys that match this'
complete -c mq-log -s m -l match -x -d 'Messages with this header'
complete -c mq-log -l any -d 'Any of the headers is enough'
complete -c mq-log -s l -l lines -d 'End each body with a newline'
complete -c mq-log -s 0 -l null -d 'End each body with a NUL'
complete -c mq-log -n '__mq_has_operands 1 seek' -a '(__mq_queues)' -d group
complete -c mq-log -n '__mq_has_operands 2 seek' -a 'beginning end' -d place
complete -c mq-log -l dry-run -d 'Move nothing, say how many messages it is'
complete -c mq-log -l force -d 'Delete it with its messages'

complete -c mq-tx -n '__mq_has_operands 0' -a 'begin commit abort put list run'
complete -c mq-tx -n '__mq_has_operands 1 commit abort put' -a '(__mq_transactions)' -d transaction
complete -c mq-tx -n '__mq_has_operands 2 put' -F
complete -c mq-tx -s t -l timeout -x -d 'Undo it unless it is committed by then'
complete -c mq-tx -l ack -x -d 'Acknowledge this message as part of it'

complete -c mq-bridge -n '__mq_has_operands 0' -a '(__mq_queues)' -d source
complete -c mq-bridge -n '__mq_has_operands 1' -a '(__mq_queues) (__mq_topics)' -d destination
complete -c mq-bridge -n '__mq_has_operands 0; or __mq_has_operands 1' -a '(__mq_schemes)' -d 'another host'
complete -c mq-bridge -s f -l follow -d 'Carry messages until a signal comes'
complete -c mq-bridge -s n -l count -x -d 'Carry up to so many messages'
complete -c mq-bridge -l until-empty -d 'Carry messages until none is ready'
complete -c mq-bridge -l max-rate -x -d 'Carry no more than n/s, n/m or n/h'
complete -c mq-bridge -l create -d 'Make the queue of the source if it is missing'
