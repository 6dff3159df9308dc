/*
 * Groups of a log that keep an order (lib/log/group_feed.c): how the messages of an entry come into their lanes, each once and
 * in the order of the log, whichever processes die or are stopped.
 *
 * A taker makes a directory in tmp/, puts a link for each message of the entry into it, and renames the cursor, which decides
 * (group.pml). Then it renames the links into the lane, one after the other in the order of the messages, and removes the
 * directory. A process that meets a cursor which a take was decided by does all of that first; so the cursor goes on only
 * when the entry before is in the lanes. A rename has one winner, so a process that comes late finds nothing to rename. A
 * message that is in its lane already, since the group was moved back, is there once: then the link is removed.
 *
 * One lane; ENTRIES of two messages each. Each call of the file system is one step. A listing of the lane is not one step: it
 * may miss a message that comes while it goes on and show a later one. So whoever holds the lane's token (lanes.pml) looks
 * once more when it has found a message, and believes that look: what is before the message was there when the look began.
 *
 * Checked: without a seek messages are delivered in their order, each once, and all of them; with a seek each message is
 * settled after it, and nothing comes more often than it was taken.
 *
 *     NO_FINISH     a taker does not finish the take of the cursor that it meets
 *     LINK          messages are linked into the lane, and the directory is removed when all are there
 *     DECIDE_FIRST  the cursor is renamed before the links are made
 *     ANY_ORDER     the links are renamed in any order
 *     ONE_LOOK      the first look is believed
 */
#define ENTRIES 2
#define MESSAGES 4
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
#define MARKS 11
#define NONE 7

byte mark, next, entry = NONE; /* the cursor: which, the entry that comes next, and the one that it was moved over */
byte marks = 1;
bool dir[MARKS], first[MARKS], second[MARKS]; /* in tmp/: a directory, and the links of the two messages in it */
byte dir_entry[MARKS], dir_base[MARKS];
byte decided[ENTRIES];
bool lane[MESSAGES];
byte came[MESSAGES], settled[MESSAGES];
bool since[MESSAGES]; /* settled since the seek */
byte running;

#define may_stop() if :: true -> goto stopped :: true fi

inline read_cursor()
{
    atomic { met = mark; at = next; over = entry }
}

inline fresh()
{
    atomic { own = marks; marks++ }
}

/* A link is renamed into the lane, or removed if the message is there. */
inline bring(m, link)
{
    if
    :: link ->
        link = false;
        if
        :: lane[m] -> skip
        :: else -> lane[m] = true; came[m]++; assert(came[m] <= decided[(m) / 2])
        fi
    :: else
    fi
}

inline bring_late(m)
{
    if
    :: lane[m] -> skip
    :: else -> lane[m] = true; came[m]++; assert(came[m] <= decided[(m) / 2])
    fi
}

/* All steps behind the decision, by its owner or by any other process. */
inline finish(which)
{
    if
    :: dir[which] ->
#ifdef LINK
        if
        :: first[which] -> bring_late(2 * dir_entry[which])
        :: else
        fi;
        if
        :: second[which] -> bring_late(2 * dir_entry[which] + 1)
        :: else
        fi;
        atomic { first[which] = false; second[which] = false };
#else
#ifdef ANY_ORDER
        if
        :: atomic { bring(2 * dir_entry[which] + 1, second[which]) }
        :: skip
        fi;
#endif
        atomic { bring(2 * dir_entry[which], first[which]) };
        atomic { bring(2 * dir_entry[which] + 1, second[which]) };
#endif
        atomic {
            if
            :: !first[which] && !second[which] -> dir[which] = false
            :: else
            fi
        }
    :: else
    fi
}

inline fill()
{
    first[own] = dir[own];
    may_stop();
    second[own] = dir[own]
}

inline decide()
{
    atomic {
        if
        :: mark == met -> mark = own; entry = at; next = at + 1; decided[at]++; won = true
        :: else -> won = false
        fi
    }
}

inline take()
{
    read_cursor();
#ifndef NO_FINISH
    if
    :: over != NONE -> finish(met)
    :: else
    fi;
#endif
    if
    :: at == ENTRIES -> won = true
    :: else ->
        fresh();
        may_stop();
        atomic { dir[own] = true; dir_entry[own] = at; dir_base[own] = met };
#ifdef DECIDE_FIRST
        decide();
        fill();
#else
        fill();
        may_stop();
        decide();
#endif
        may_stop();
        if
        :: won -> finish(own)
        :: else -> atomic { dir[own] = false; first[own] = false; second[own] = false }
        fi;
        atomic { won = false; own = 0; met = 0; over = 0; at = 0 }
    fi
}

proctype taker()
{
    byte met, at, over, own, tries = 0;
    bool won;
    do
    :: tries < TRIES && marks < MARKS - 4 -> take(); tries++; if :: won -> break :: else fi
    :: else -> break
    od;
stopped:
    running--
}

proctype seek()
{
    byte met, at, over, own, i, times = 0;
    do
    :: times < SEEKS ->
        read_cursor();
        if
        :: over != NONE -> finish(met)
        :: else
        fi;
        fresh();
        atomic {
            if
            :: mark == met ->
                mark = own; entry = NONE; next = 0;
                for (i : 0 .. MESSAGES - 1) { since[i] = false }
            :: else
            fi;
            i = 0
        };
        times++
    :: else -> break
    od;
    running--
}

/* The directories that no cursor can be moved by any more. */
proctype sweep()
{
    byte which, seen, times = 0;
    bool listed[MARKS];
    do
    :: times < SWEEPS ->
        atomic {
            for (which : 1 .. MARKS - 1) { listed[which] = dir[which] }
        };
        seen = mark;
        which = 1;
        do
        :: which < MARKS ->
            if
            :: listed[which] && which != seen && dir_base[which] != seen ->
                first[which] = false;
                second[which] = false;
                atomic {
                    if
                    :: !first[which] && !second[which] -> dir[which] = false
                    :: else
                    fi
                }
            :: else
            fi;
            which++
        :: else -> break
        od;
        times++
    :: else -> break
    od;
    running--
}

/* The first message that a listing shows, which takes its time. */
inline look(found)
{
    found = NONE;
    i = 0;
    do
    :: i < MESSAGES ->
        atomic {
            if
            :: lane[i] && found == NONE -> found = i
            :: else
            fi;
            i++
        }
    :: else -> break
    od;
    i = 0
}

inline settle(m)
{
    atomic {
        assert(lane[m]);
#if SEEKS == 0
        assert(settled[m] == 0);
        assert(m == settled[0] + settled[1] + settled[2] + settled[3]);
#endif
        lane[m] = false; settled[m]++; since[m] = true
    }
}

/* The token's holders, one after the other. */
proctype consumer()
{
    byte m, i, times = 0;
    do
    :: times < MESSAGES ->
        look(m);
#ifndef ONE_LOOK
        if
        :: m != NONE -> look(m)
        :: else
        fi;
#endif
        if
        :: m != NONE -> settle(m)
        :: else
        fi;
        times++
    :: else -> break
    od;
    running--
}

/* In the end one process is left, which is not stopped. */
proctype last()
{
    byte met, at, over, own, i, m;
    running == 0;
    do
    :: true ->
        read_cursor();
        if
        :: over != NONE -> finish(met)
        :: else
        fi;
        if
        :: at == ENTRIES -> break
        :: else -> atomic {
                own = marks; marks++;
                dir[own] = true; first[own] = true; second[own] = true; dir_entry[own] = at; dir_base[own] = met;
                mark = own; entry = at; next = at + 1; decided[at]++
            };
            finish(own)
        fi
    od;
    do
    :: look(m);
        if
        :: m == NONE -> break
        :: else -> settle(m)
        fi
    od;
    for (i : 0 .. MESSAGES - 1) {
        assert(since[i]);
        assert(came[i] <= decided[i / 2]);
#if SEEKS == 0
        assert(settled[i] == 1)
#endif
    }
}

init
{
    byte i;
    atomic {
        running = TAKERS + 3;
        for (i : 1 .. TAKERS) { run taker() }
        run seek();
        run sweep();
        run consumer();
        run last()
    }
}
