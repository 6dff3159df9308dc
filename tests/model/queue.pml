/*
 * Send, claim, extend, ack, nack, lapse, and the birth and removal of buckets.
 *
 * Models link_into() of lib/lifecycle/publish.c, rename_into() of lib/queue/move.c, queue_target() and bucket_make() of lib/queue/queue.c and
 * lib/store/bucket.c, claim() of lib/lifecycle/claim.c, settle_once() of lib/lifecycle/settle.c, lapse() of lib/lifecycle/expire.c, and bucket_remove().
 * MESSAGES are to be sent; WORKERS processes do any of this in any order, for ever. Each system call is one step, so a
 * process may be stopped or killed anywhere. At any moment all workers may be killed at once: a survivor then drains
 * the queue.
 *
 * Checked: what was sent is under exactly one name until it is acked; a claim is settled by nobody but its holder, and
 * never after it has lapsed; the survivor gets all that was sent, in a bounded number of steps.
 *
 * Abstracted: one bucket in ready/, two in inflight/ (a claim lies in the first, extended in the second); a directory
 * that was removed is dead to those who have it open, also when one of its name is made again; a token is fresh as long
 * as anybody may remember it.
 *
 * Mutations: NO_REMAKE (whoever finds his bucket gone gives up),
 * REMOVE_FILLED (a bucket is emptied and removed by who has seen it empty), SAME_TOKEN (all claims have one token),
 * LINK_AND_UNLINK (a claim is a link and an unlink).
 */
#define WORKERS 2
#ifndef MESSAGES
#define MESSAGES 2
#endif

/* Buckets: 0 in ready/, 1 and 2 in inflight/. */
byte token[MESSAGES * 3]; /* in the message's name in that bucket; 0 no such name; in ready/ 1 */
bit sending[MESSAGES], sent[MESSAGES], acked[MESSAGES];
bit there[3];           /* the bucket exists */
bit open[WORKERS * 3];  /* the worker's handle is of the bucket that exists */
byte mine[WORKERS], seen[WORKERS];
byte holder[MESSAGES]; /* whose claim is the last one, and has not lapsed */
bit frozen;

#define ME (_pid - 1)
#define NAME(m, b) token[(m) * 3 + (b)]
#define OPEN(b) open[ME * 3 + (b)]
#define NAMES(m) ((NAME(m, 0) != 0) + (NAME(m, 1) != 0) + (NAME(m, 2) != 0) + acked[m])
#if MESSAGES == 2
#define IS_EMPTY(b) (!NAME(0, b) && !NAME(1, b))
#define IN_USE(t) (NAME(0, 1) == t || NAME(0, 2) == t || NAME(1, 1) == t || NAME(1, 2) == t || \
                   mine[0] == t || mine[1] == t || seen[0] == t || seen[1] == t)
#else
#define IS_EMPTY(b) (!NAME(0, b))
#define IN_USE(t) (NAME(0, 1) == t || NAME(0, 2) == t || mine[0] == t || mine[1] == t || seen[0] == t || seen[1] == t)
#endif

inline check(m)
{
    assert(NAMES(m) == sent[m])
}

inline draw_token()
{
    fresh = 1;
#ifndef SAME_TOKEN
    do
    :: IN_USE(fresh) -> fresh++
    :: else -> break
    od
#endif
}

/* queue_target(): open the bucket, made where it is missing */
inline target(b)
{
    do
    :: OPEN(b) -> break
    :: atomic { !OPEN(b) && there[b] -> OPEN(b) = 1 }; break
    :: atomic { !OPEN(b) && !there[b] -> there[b] = 1 }
    od
}

proctype worker() provided (!frozen)
{
    byte m, b, fresh;

again:
    atomic {
        mine[ME] = 0; seen[ME] = 0; b = 0; fresh = 0;
        select(m : 0 .. MESSAGES - 1);
        if
        :: !sent[m] && !sending[m] -> sending[m] = 1; goto send
        :: NAME(m, 0) -> goto claim
        :: NAME(m, 1) -> b = 1; seen[ME] = NAME(m, 1); goto lapse
        :: NAME(m, 2) -> b = 2; seen[ME] = NAME(m, 2); goto lapse
        :: goto remove
        fi
    };

send: /* link_into() */
    target(0);
    atomic {
        if
        :: OPEN(0) -> NAME(m, 0) = 1; sent[m] = 1; check(m); goto again
        :: else -> skip
        fi
    };
#ifdef NO_REMAKE
    assert(false); /* the sender has failed although the queue is there */
#endif
    goto send;

claim: /* rename_into() inflight/ */
    target(1);
    atomic {
        if
        :: NAME(m, 0) && OPEN(1) ->
            draw_token();
            mine[ME] = fresh;
            assert(NAME(m, 1) == 0);
            NAME(m, 1) = fresh;
            holder[m] = ME + 1;
#ifndef LINK_AND_UNLINK
            NAME(m, 0) = 0;
            check(m);
#endif
            b = 1;
            goto holding
        :: NAME(m, 0) && !OPEN(1) -> skip
        :: else -> goto again /* somebody else has it */
        fi
    };
    goto claim;

holding:
#ifdef LINK_AND_UNLINK
    atomic { NAME(m, 0) = 0; check(m) };
#endif
    if
    :: goto ack
    :: goto nack
    :: b == 1 -> goto extend
    :: goto again /* forgotten: its deadline will pass */
    fi;

ack:
    atomic {
        if
        :: mine[ME] && NAME(m, b) == mine[ME] ->
            NAME(m, b) = 0;
            acked[m] = 1;
            assert(holder[m] == ME + 1);
            holder[m] = 0;
            check(m)
        :: else -> skip /* the claim has lapsed */
        fi
    };
    goto again;

nack:
    target(0);
    atomic {
        if
        :: NAME(m, b) == mine[ME] && OPEN(0) ->
            NAME(m, b) = 0;
            NAME(m, 0) = 1;
            assert(holder[m] == ME + 1);
            holder[m] = 0;
            check(m);
            goto again
        :: NAME(m, b) == mine[ME] && !OPEN(0) -> skip
        :: else -> goto again
        fi
    };
    goto nack;

extend:
    target(2);
    atomic {
        if
        :: NAME(m, 1) == mine[ME] && OPEN(2) ->
            NAME(m, 1) = 0;
            NAME(m, 2) = mine[ME];
            b = 2;
            check(m);
            goto holding
        :: NAME(m, 1) == mine[ME] && !OPEN(2) -> skip
        :: else -> goto again
        fi
    };
    goto extend;

lapse: /* its deadline has passed */
    target(0);
    atomic {
        if
        :: NAME(m, b) == seen[ME] && OPEN(0) ->
            NAME(m, b) = 0;
            NAME(m, 0) = 1;
            holder[m] = 0;
            check(m);
            goto again
        :: NAME(m, b) == seen[ME] && !OPEN(0) -> skip
        :: else -> goto again
        fi
    };
    goto lapse;

remove: /* bucket_remove() of one that was found empty */
    atomic {
        select(b : 0 .. 2);
        if
        :: there[b] && IS_EMPTY(b) -> skip
        :: else -> goto again
        fi
    };
    atomic {
        if
#ifdef REMOVE_FILLED
        :: there[b] ->
            NAME(0, b) = 0;
            NAME(MESSAGES - 1, b) = 0;
#else
        :: there[b] && IS_EMPTY(b) ->
#endif
            there[b] = 0;
            open[b] = 0;
            open[3 + b] = 0;
            check(0);
            check(MESSAGES - 1)
        :: else -> skip
        fi
    };
    goto again
}

/* All others are dead. */
proctype survivor()
{
    byte m, steps;

    atomic { !frozen -> frozen = 1 };
    atomic {
        do
        :: m < MESSAGES && !sent[m] -> m++
        :: m < MESSAGES && acked[m] -> m++
        :: m < MESSAGES && NAME(m, 0) -> NAME(m, 0) = 0; acked[m] = 1; steps++
        :: m < MESSAGES && NAME(m, 1) -> NAME(m, 1) = 0; NAME(m, 0) = 1; steps++
        :: m < MESSAGES && NAME(m, 2) -> NAME(m, 2) = 0; NAME(m, 0) = 1; steps++
        :: else -> break
        od;
        assert(m == MESSAGES && steps <= 2 * MESSAGES)
    }
}

init
{
    atomic {
        run worker();
        run worker();
        run survivor()
    }
}
