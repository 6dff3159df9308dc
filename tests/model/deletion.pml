/*
 * Deleting a queue, while old handles live on.
 *
 * Models mq_delete(), finish_held(), remove_emptied(), put_back() and merge() of lib/admin/delete.c, spool_give_back(), which
 * anybody calls who finds a name without a queue, publish_some() and move_on() of lib/lifecycle/publish.c, rename_into() of
 * lib/queue/move.c with a claim that is given back, and queue_reopen(). Each system call is one step; everybody may be stopped
 * anywhere for any time, and the deleters and the passer-by may die there.
 *
 * There is a queue with a message that was sent long ago and is claimed or ready. At once a sender sends to it by a
 * handle that was opened before, the claim's holder gives the message back by such a handle, a deleter without force
 * deletes, somebody who looks for the queue by its name comes by, and there may be one who deletes by force (FORCED), or
 * the first one again (TWICE). In the end the spool is swept. NO_SENDER, NO_MOVER and NO_PASSER leave one of them out.
 *
 * Checked: what was sent before, and what the sender says to be sent, is in the queue that has the name in the end; it
 * may be gone only where a deletion by force began after the sending did. What the sender says has failed is nowhere.
 *
 * Abstracted: of the states only ready/ and inflight/; buckets, which only put the error of a missing state off.
 *
 * The look behind the link is for those who wait, not for this: it lets a message go at once where the name is.
 *
 * Mutations: NO_FIRST_LOOK (a sender does not look before it links), TREE (an emptied queue is removed with all that is
 * in it), SURVEY (a sweep counts what a held queue holds, and removes it if that is nothing), SAME_NAME (an emptied
 * queue keeps the name that it was held by, and may be put back while it is removed).
 */
#define DIRS 3
#define UNUSED 0
#define NAMED 1
#define HELD 2
#define EMPTIED 3
#define GONE 4
#define REMOVED 5
#define READY 0
#define INFLIGHT 1
#define NOBODY DIRS

byte place[DIRS];
bit has[DIRS * 2]; /* the state's directory */
byte at[2];        /* the messages: 0 nowhere, or 1 + dir * 2 + state; 0: the old one, 1: the one that is sent */
bit begun, sent, failed, may_be_gone[2];
byte name[DIRS]; /* the random part of what it is held by */
byte names = 1;
bit started;

#define HAS(d, s) has[(d) * 2 + (s)]
#define IN(d, s) (1 + (d) * 2 + (s))
#define HOLDS(d, s) (at[0] == IN(d, s) || at[1] == IN(d, s))
#define FIND(d, what) \
    if :: place[0] == what -> d = 0 :: place[1] == what -> d = 1 :: place[2] == what -> d = 2 :: else -> d = NOBODY fi

/* Open what has the name; where nothing has it make a new queue, if `make`. */
inline reopen(d, make)
{
    atomic {
        FIND(d, NAMED);
        if
        :: d == NOBODY && make ->
            FIND(d, UNUSED);
            if
            :: d != NOBODY -> place[d] = NAMED; HAS(d, READY) = 1; HAS(d, INFLIGHT) = 1
            :: else
            fi
        :: else
        fi
    }
}

/* What a cleaner, or a deleter, took: it is made where the look showed the name; that may be long ago. */
inline heal(d)
{
    atomic { if :: place[d] != REMOVED -> HAS(d, READY) = 1 :: else fi };
    atomic { if :: place[d] != REMOVED -> HAS(d, INFLIGHT) = 1 :: else fi }
}

/* rmdir of the states: `filled` where one is not empty. */
inline remove_states(d, filled)
{
    filled = 0;
    atomic { if :: HOLDS(d, READY) -> filled = 1 :: else -> HAS(d, READY) = 0 fi };
    if
    :: !filled -> atomic { if :: HOLDS(d, INFLIGHT) -> filled = 1 :: else -> HAS(d, INFLIGHT) = 0 fi }
    :: else
    fi
}

inline transfer(m, d, to, lost)
{
    atomic {
        if
        :: at[m] == IN(d, READY) -> if :: HAS(to, READY) -> at[m] = IN(to, READY) :: else -> lost = 1 fi
        :: at[m] == IN(d, INFLIGHT) -> if :: HAS(to, INFLIGHT) -> at[m] = IN(to, INFLIGHT) :: else -> lost = 1 fi
        :: else
        fi
    }
}

inline destroy(d)
{
    if :: at[0] == IN(d, READY) || at[0] == IN(d, INFLIGHT) -> at[0] = 0 :: else fi;
    if :: at[1] == IN(d, READY) || at[1] == IN(d, INFLIGHT) -> at[1] = 0 :: else fi
}

/* tmp/ may hold a message that is being split off, if the queue is in use. */
inline destroy_splits(d)
{
    assert(place[d] != NAMED)
}

/* Every state was removed. Only now is it nobody's to put back, and only where nobody has put it back before. */
inline remove_emptied(d, held, filled)
{
#ifndef SAME_NAME
    atomic { if :: place[d] == HELD && name[d] == held -> place[d] = EMPTIED :: else fi };
#endif
    do
    :: name[d] == held && (place[d] == EMPTIED || place[d] == HELD) ->
#ifdef TREE
        atomic { destroy(d); place[d] = REMOVED }
#else
#ifdef SAME_NAME
        destroy_splits(d);
#endif
        /* rmdir of the queue itself: none of its states was made again */
        atomic { if :: !HAS(d, READY) && !HAS(d, INFLIGHT) -> place[d] = REMOVED :: else fi };
        if
        :: place[d] != REMOVED ->
            remove_states(d, filled);
            atomic { if :: filled && place[d] == EMPTIED -> place[d] = HELD :: else fi };
            if :: filled -> break :: else fi
        :: else
        fi
#endif
    :: else -> break
    od
}

/* Give a held queue its name back, or merge it into what has the name now: `filled` is 0 where it is empty then. */
inline put_back(d, held, to, filled, lost)
{
    do
    :: filled ->
        heal(d);
        atomic {
            lost = 0;
            FIND(to, NAMED);
            if
            :: place[d] == HELD && name[d] == held && to == NOBODY -> place[d] = NAMED; filled = 0
            :: place[d] != HELD || name[d] != held -> filled = 0
            :: else
            fi
        };
        if
        :: filled ->
            transfer(0, d, to, lost);
            transfer(1, d, to, lost);
            if :: !lost -> remove_states(d, filled) :: else fi;
            if :: !filled -> remove_emptied(d, held, filled) :: else fi
        :: else
        fi
    :: else -> break
    od
}

/* What has that name, held, is removed if it is empty, else put back. */
inline finish_held(d, held, to, filled, lost)
{
    remove_states(d, filled);
    if :: !filled -> remove_emptied(d, held, filled) :: else fi;
    put_back(d, held, to, filled, lost)
}

/* Whom the killer has met. */
bit dead_deleter, dead_forced, dead_passer;

#ifndef NO_SENDER
active proctype sender()
{
    byte d = 0, new, was;
    bit make;
    started;
    if :: make = 1 :: skip fi;
    begun = 1;
#ifndef NO_FIRST_LOOK
    if :: place[d] == NAMED :: else -> goto again fi;
#endif
link:
    atomic { if :: HAS(d, READY) -> at[1] = IN(d, READY); goto look :: else fi };
again:
    reopen(d, make);
    if
    :: d == NOBODY -> failed = 1; goto end
    :: else -> heal(d); goto link
    fi;
look:
    atomic { if :: place[d] != NAMED -> was = IN(d, READY) :: else -> sent = 1; goto end fi };
    reopen(new, make);
    if
    :: new == NOBODY -> /* take it back */
        atomic {
            if :: at[1] == was -> at[1] = 0; failed = 1 :: else -> sent = 1 fi
        }
    :: else ->
        atomic {
            if
            :: at[1] != was -> sent = 1; goto end
            :: at[1] == was && HAS(new, READY) -> at[1] = IN(new, READY); d = new; goto look
            :: else
            fi
        };
        heal(new);
        goto look
    fi;
end:
    skip
}
#endif

#ifndef NO_MOVER
active proctype mover()
{
    byte d = 0;
    started;
    if :: place[d] == NAMED :: else -> goto end fi;
    do
    :: atomic {
        if
        :: at[0] != IN(d, INFLIGHT) -> break
        :: at[0] == IN(d, INFLIGHT) && HAS(d, READY) -> at[0] = IN(d, READY); break
        :: else
        fi
    };
    if :: place[d] == NAMED -> heal(d) :: else -> break fi
    od;
end:
    skip
}
#endif

active proctype deleter() provided (!dead_deleter)
{
    byte d, to, held;
    bit filled, lost;
    started;
#ifdef TWICE
    byte again = 0;
    do
    :: again < 2 ->
        again++;
#endif
        atomic { FIND(d, NAMED); if :: d != NOBODY -> place[d] = HELD; held = names; name[d] = names; names++ :: else fi };
        if :: d != NOBODY -> finish_held(d, held, to, filled, lost) :: else fi;
#ifdef TWICE
    :: else -> break
    od;
#endif
    skip
}

#ifdef FORCED
active proctype forced() provided (!dead_forced)
{
    byte d;
    started;
    atomic {
        FIND(d, NAMED);
        if :: d != NOBODY -> place[d] = GONE; may_be_gone[0] = 1; may_be_gone[1] = begun :: else -> goto end fi
    };
    atomic { destroy(d) };
    atomic { HAS(d, READY) = HOLDS(d, READY) };
    atomic { destroy(d); HAS(d, READY) = 0; HAS(d, INFLIGHT) = 0; place[d] = REMOVED };
end:
    skip
}
#endif

/* Whoever finds no queue of the name looks whether one is held, by whomever. */
#ifndef NO_PASSER
active proctype passer() provided (!dead_passer)
{
    byte d, to, held;
    bit filled, lost;
    started;
    atomic { FIND(d, NAMED); if :: d != NOBODY -> goto end :: else fi };
    atomic { FIND(d, HELD); if :: d != NOBODY -> held = name[d] :: else -> goto end fi };
    if :: d != NOBODY -> filled = 1; put_back(d, held, to, filled, lost) :: else fi;
end:
    skip
}
#endif

/* When all have ended or died; nobody can be at anything any more. */
active proctype sweeper()
{
    byte d, to, held;
    bit filled, lost;
    started;
#ifdef SURVEY
    FIND(d, HELD);
    if :: d != NOBODY ->
        if
        :: !HOLDS(d, READY) -> if :: !HOLDS(d, INFLIGHT) -> atomic { destroy(d); place[d] = REMOVED } :: else fi
        :: else
        fi
    :: else
    fi;
#endif
    timeout;
    do
    :: place[0] == EMPTIED || place[1] == EMPTIED || place[2] == EMPTIED ->
        FIND(d, EMPTIED);
        held = name[d];
        filled = 0;
        remove_emptied(d, held, filled);
        put_back(d, held, to, filled, lost)
    :: place[0] == HELD || place[1] == HELD || place[2] == HELD ->
        FIND(d, HELD);
        held = name[d];
        finish_held(d, held, to, filled, lost)
    :: place[0] == GONE || place[1] == GONE || place[2] == GONE ->
        atomic { FIND(d, GONE); destroy(d); place[d] = REMOVED }
    :: else -> break
    od;
    FIND(d, NAMED);
    assert(may_be_gone[0] || (d != NOBODY && (at[0] == IN(d, READY) || at[0] == IN(d, INFLIGHT))));
    assert(!sent || may_be_gone[1] || (d != NOBODY && at[1] == IN(d, READY)));
    assert(!failed || at[1] == 0)
}

active proctype killer()
{
    started;
    if :: dead_deleter = 1 :: skip fi;
#ifdef FORCED
    if :: dead_forced = 1 :: skip fi;
#endif
#ifndef NO_PASSER
    if :: dead_passer = 1 :: skip fi;
#endif
    skip
}

init
{
    atomic {
        place[0] = NAMED;
        HAS(0, READY) = 1;
        HAS(0, INFLIGHT) = 1;
        if :: at[0] = IN(0, READY) :: at[0] = IN(0, INFLIGHT) fi;
        started = 1
    }
}
