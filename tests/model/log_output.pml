/*
 * A log as the destination of a transaction (lib/log/append_output.c): processes that carry out a committed output
 * together, a sender that appends, and a process that removes old entries and packs, which first carries out itself.
 *
 * The output is a name in the outbox that tells a position: an offset that the log had reached when the output was put
 * in. A carrier reads the name, looks at the entries from there to the end, and if none of them is the output links it
 * behind the last one, by its name; then it unlinks the name. link(2) is two steps: it looks the name up, and makes the
 * new one. An entry is known by its file, which a packed one has lost. A carrier may stop for ever between any two steps.
 *
 * The log may lose its end once, in a power cut, or be deleted and made again: then the position is beyond the end, and
 * the output first gets a name with a position that is not. Nobody acts on what he saw before.
 *
 * The output is appended once, whatever has become of the entry since.
 *
 *     CUT             with the loss, and without the process that removes and packs
 *
 *     NO_WALK         a carrier looks at the last entry only
 *     NO_LOOK         a carrier that loses the race for an offset does not look at what has won
 *     BY_DESCRIPTOR   the output is linked from its open file, also when its name is gone
 *     NO_REPOSITION   an output whose position is beyond the end is appended at the end as it is
 *     NO_CLEAR        old entries are removed and packed, whatever is in the outbox
 *     LATE_LIMIT      what may be removed or packed is found out after the outbox was looked at
 */
#define SIZE 4  /* entries of one message each */
#define NONE 0
#define OTHER 1
#define OUTPUT 2

byte entry[SIZE];  /* what has the offset: NONE, OTHER or the file of the output */
byte end;
byte begin;        /* below it nothing can be seen */
bool committed;
bool there;        /* the output's name is in the outbox */
byte position;     /* which it tells */
byte appended;     /* how often */
bool cut;

#define LAST (end > 0 -> end - 1 : 0)

/* Carry out. */
inline carry_out()
{
    at = 0;
    atomic {
        if
        :: !committed || !there -> goto done
        :: else -> at = position; seen = position; late = cut
        fi
    };
again:
    atomic {
        if
        :: late != cut -> goto done /* the power cut ended this process too */
        :: else
        fi;
        if
        :: at < begin -> at = begin
        :: else
        fi;
        if
#ifdef NO_WALK
        :: at < LAST -> at = LAST
#endif
#ifndef NO_REPOSITION
        :: at > end ->
            if
            :: there && position == seen -> position = end; at = end; seen = end
            :: else -> goto done
            fi
#else
        :: at > end -> at = end
#endif
        :: else
        fi
    };
walk:
    atomic {
        if
        :: late != cut -> goto done
        :: at < begin -> goto again
        :: else
        fi;
        if
        :: at < end && entry[at] == OUTPUT -> goto found
        :: at < end && entry[at] != OUTPUT -> at++; goto walk
        :: else -> target = end
        fi
    };
link:
    atomic { /* looks the name up */
        if
        :: late != cut -> goto done
#ifndef BY_DESCRIPTOR
        :: !there || position != seen -> goto done
#endif
        :: else
        fi
    };
    if
    :: true -> skip
    :: true -> goto done /* it stops */
    fi;
    atomic { /* makes the new one */
        if
        :: late != cut -> goto done
        :: target >= SIZE -> goto done
        :: target < end -> /* taken, or long gone: its directory is kept by the lock */
#ifdef NO_LOOK
            target = end; goto link
#else
            goto walk
#endif
        :: else ->
            entry[target] = OUTPUT;
            end = target + 1;
            appended++;
            assert(appended == 1)
        fi
    };
found:
    if
    :: true -> atomic {
        if
        :: late == cut && position == seen -> there = false
        :: else
        fi }
    :: true -> skip /* it stops */
    fi;
done:
    atomic { at = 0; seen = 0; target = 0; late = false }
}

proctype carrier()
{
    byte at, seen, target;
    bool late;
    carry_out()
}

proctype sender()
{
    do
    :: atomic { end < SIZE - 1 -> entry[end] = OTHER; end++ }
    :: true -> break
    od
}

proctype keeper()
{
    byte at, seen, target, limit, i;
    bool late, started;
    atomic { limit = LAST; started = cut };
#ifndef NO_CLEAR
    carry_out();
    atomic {
        if
        :: committed && there -> goto out
        :: else
        fi
    };
#endif
#ifdef LATE_LIMIT
    limit = LAST;
#endif
    atomic {
        if
        :: started != cut -> goto out
        :: begin < limit -> begin = limit
        :: begin < limit -> /* packs them instead */
            i = begin;
            do
            :: i < limit -> entry[i] = OTHER; i++
            :: else -> break
            od
        :: else
        fi
    };
out:
    skip
}

/* What was not on the disk is gone: the last entry, which may be the output, whose name is then there again. */
proctype disaster()
{
    atomic {
        end > begin && !(committed && !there) -> 
        end--;
        if
        :: entry[end] == OUTPUT -> appended--
        :: else
        fi;
        entry[end] = NONE;
        cut = true
    }
}

init
{
    atomic {
        entry[0] = OTHER;
        end = 1;
        run sender();
#ifndef CUT
        run keeper();
        run carrier();
#endif
        run carrier()
    };
    atomic { position = end; there = true };
    committed = true;
#ifdef CUT
    run disaster();
    run carrier();
    run carrier()
#endif
}
