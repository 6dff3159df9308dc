/*
 * Groups of a log (lib/log/group.c): consumers that take the entries of a log one after the other, without a lock, and a
 * process that moves the group to another place meanwhile.
 *
 * A group's cursor is one name, which says the offset that comes next. A taker links the entry to tmp/, renames the cursor
 * to the offset behind it, and then renames its link into the queue. The second call decides that the group has the entry.
 * The cursor's new name and the link's have the same parts: the taker's mark, which is fresh, and the mark of the cursor
 * that it replaces. Whoever meets a cursor that a take was decided by first does the third step for it. A seek is a
 * rename of the cursor, too. Each of them may be stopped for ever, or die, between any two calls; link(2) is two steps,
 * so a link can come late. A sweep removes links in tmp/ that can never be decided on: neither the cursor's own, nor one
 * that would replace this cursor.
 *
 * Each entry that was decided on is delivered once, as often as it was decided on, and none is passed over.
 *
 *     NO_FINISH     a taker does not look for the link of the cursor that it meets
 *     SEEK_AT_ONCE  a seek does not
 *     SAME_MARK     a take is named by its entry alone
 *     CURSOR_FIRST  the sweep reads the cursor before it lists tmp/
 *     NO_BASE       the sweep removes whatever is not the cursor's
 */
#define ENTRIES 2
#ifndef TAKERS
#define TAKERS 2
#endif
#ifndef SEEKS
#define SEEKS 1
#endif
#ifndef SWEEPS
#define SWEEPS 1
#endif
#ifndef TRIES
#define TRIES 2 /* of a taker; the last one that runs alone has more */
#endif
#define MARKS 10
#define NONE 255

byte mark, next, entry = NONE; /* the cursor: which, what comes next, and the entry that it was moved over */
byte marks = 1;
bool link[MARKS];              /* in tmp/ */
byte link_entry[MARKS], link_base[MARKS];
byte decided[ENTRIES], delivered[ENTRIES];
byte running;

inline read_cursor()
{
    atomic { met = mark; at = next; over = entry }
}

#define may_stop() if :: true -> goto stopped :: true fi

/* Step three, for the take of this mark. */
inline deliver(which)
{
    atomic {
        if
        :: link[which] ->
            link[which] = false;
            delivered[link_entry[which]]++;
            assert(delivered[link_entry[which]] <= decided[link_entry[which]])
        :: else
        fi
    }
}

inline fresh()
{
    atomic {
#ifdef SAME_MARK
        own = at + 1;
#else
        own = marks;
        marks++;
#endif
    }
}

inline take()
{
    read_cursor();
#ifndef NO_FINISH
    if
    :: over != NONE -> deliver(met)
    :: else
    fi;
#endif
    if
    :: at == ENTRIES -> won = true
    :: else ->
        fresh();
        may_stop();
        atomic {
#ifdef SAME_MARK
            if
            :: link[own] -> skip /* EEXIST: it is taken for one's own */
            :: else
            fi;
#endif
            link[own] = true; link_entry[own] = at; link_base[own] = met
        };
        may_stop();
        atomic {
            if
            :: mark == met -> mark = own; entry = at; next = at + 1; decided[at]++; won = true
            :: else -> won = false
            fi
        };
        may_stop();
        if
        :: won -> deliver(own)
        :: else -> link[own] = false
        fi;
        atomic { won = false; own = 0; met = 0; over = 0; at = 0 }
    fi
}

proctype taker()
{
    byte met, at, over, own, tries = 0;
    bool won;
    do
    :: tries < TRIES && marks < MARKS - 3 -> take(); tries++; if :: won -> break :: else fi
    :: else -> break
    od;
stopped:
    running--
}

proctype seek()
{
    byte met, at, over, own, times = 0;
    do
    :: times < SEEKS ->
        read_cursor();
#ifndef SEEK_AT_ONCE
        if
        :: over != NONE -> deliver(met)
        :: else
        fi;
#endif
        atomic { own = marks; marks++ };
        atomic {
            if
            :: mark == met ->
                mark = own;
                entry = NONE;
                if
                :: next = 0
                :: next = ENTRIES
                fi
            :: else
            fi
        };
        times++
    :: else -> break
    od;
    running--
}

proctype sweep()
{
    byte seen, which, times = 0;
    bool listed[MARKS];
    do
    :: times < SWEEPS ->
#ifdef CURSOR_FIRST
        seen = mark;
#endif
        atomic {
            which = 0;
            do
            :: which < MARKS -> listed[which] = link[which]; which++
            :: else -> break
            od
        };
#ifndef CURSOR_FIRST
        seen = mark;
#endif
        which = 0;
        do
        :: which < MARKS ->
            atomic {
#ifdef NO_BASE
                if
                :: listed[which] && which != seen -> link[which] = false
                :: else
                fi;
#else
                if
                :: listed[which] && which != seen && link_base[which] != seen -> link[which] = false
                :: else
                fi;
#endif
                which++
            }
        :: else -> break
        od;
        times++
    :: else -> break
    od;
    running--
}

/* In the end one process is left, which is not stopped. Then nothing that was decided is missing. */
proctype last()
{
    byte met, at, over, own;
    bool won;
    running == 0;
    do
    :: true ->
        read_cursor();
        if
        :: over != NONE -> deliver(met)
        :: else
        fi;
        if
        :: at == ENTRIES -> break
        :: else -> atomic {
                own = marks; marks++;
                link[own] = true; link_entry[own] = at; link_base[own] = met;
                mark = own; entry = at; next = at + 1; decided[at]++
            };
            deliver(own)
        fi
    od;
    at = 0;
    do
    :: at < ENTRIES ->
        assert(delivered[at] == decided[at]);
#if SEEKS == 0
        assert(decided[at] == 1);
#endif
        at++
    :: else -> break
    od
}

init
{
    byte i;
    atomic {
        running = TAKERS + 2;
        for (i : 1 .. TAKERS) { run taker() }
        run seek();
        run sweep();
        run last()
    }
}
