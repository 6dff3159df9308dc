/*
 * Waiting: leaders and followers, and that no wake-up is lost.
 *
 * Models wait_enter(), wait_sleep(), wait_leave(), hand_on(), ring() and start_watching() of lib/wait.c, the loop of
 * mq_receive() in lib/receive.c, and a sender that makes a bucket and links a message into it (link_into() of
 * lib/publish.c). WAITERS processes want one message each and may give up at any moment; MESSAGES are sent.
 *
 * Left out on purpose: the look that each waiter takes by itself about once a second, which finds what a leader or a
 * follower that was killed with the bell in his hand did not pass on. So what is proven is the bell alone: when nothing
 * moves any more, no message is ready while somebody sleeps. With KILL
 * a follower is killed in his sleep at any time.
 *
 * Abstracted: one bucket; a listing of waiters/ is one step a FIFO; a claim is one step.
 *
 * Mutations: LOOK_FIRST (the leader looks before it watches), FIFO_LATE (no second try for the lock once the FIFO is
 * there), BUCKET_UNSEEN (a new bucket is not watched), HAND_ON_FIRST (the lock is dropped after the bell),
 * DEAF (who leaves does not pass on a ring that came in between).
 */
#define WAITERS 3
#ifndef MESSAGES
#define MESSAGES 2
#endif

#define NOBODY 255

byte leader = NOBODY; /* who holds the lock of waiters/ */
byte ready;           /* messages to be claimed */
bit bucket;           /* it is there */
bit watches_ready[WAITERS], watches_bucket[WAITERS];
bit event[WAITERS], event_of_ready[WAITERS];
bit fifo[WAITERS]; /* it has its name */
bit open[WAITERS]; /* somebody reads it */
bit rung[WAITERS]; /* a byte lies in it */
bit asleep[WAITERS];

proctype sender()
{
    byte w, n;

again:
    atomic { /* mkdir */
        if
        :: !bucket ->
            bucket = 1;
            w = 0;
            do
            :: w < WAITERS ->
                if
                :: watches_ready[w] -> event[w] = 1; event_of_ready[w] = 1
                :: else -> skip
                fi;
                w++
            :: else -> break
            od
        :: else -> skip
        fi
    };
    atomic { /* link */
        ready++;
        w = 0;
        do
        :: w < WAITERS ->
            if
            :: watches_bucket[w] -> event[w] = 1
            :: else -> skip
            fi;
            w++
        :: else -> break
        od;
        w = 0;
        n++;
        if
        :: n < MESSAGES -> goto again
        :: else -> skip
        fi
    }
}

inline try_to_lead()
{
    atomic {
        if
        :: leader == NOBODY -> leader = me
        :: else -> skip
        fi
    };
    if
    :: leader == me && !leads ->
        atomic { fifo[me] = 0; open[me] = 0; rung[me] = 0; leads = 1 };
        watch()
    :: else -> skip
    fi
}

inline watch()
{
#ifdef LOOK_FIRST
    look();
#endif
    watches_ready[me] = 1;
    atomic {
        if
        :: bucket -> watches_bucket[me] = 1
        :: else -> skip
        fi
    }
}

inline look()
{
    atomic {
        if
        :: ready > 0 && !has -> ready--; has = 1
        :: else -> skip
        fi
    }
}

/* Ring one FIFO that is there and has no byte unread. */
inline hand_on()
{
    i = 0;
    do
    :: i < WAITERS && !fifo[i] -> i++
    :: i < WAITERS && fifo[i] ->
        if
        :: atomic { fifo[i] && !open[i] -> fifo[i] = 0 }; i++
        :: atomic { open[i] && !rung[i] -> rung[i] = 1 }; break
        :: atomic { rung[i] -> i++ }
        :: atomic { !fifo[i] && !open[i] -> i++ }
        fi
    :: else -> break
    od
}

proctype waiter(byte me)
{
    bit has, leads, duty;
    byte i;

    look(); /* before it waits at all */
    if
    :: has -> goto leave
    :: else -> skip
    fi;

    /* wait_enter() */
    try_to_lead();
    if
    :: !leads ->
        open[me] = 1;
        fifo[me] = 1;
#ifndef FIFO_LATE
        try_to_lead()
#endif
    :: else -> skip
    fi;

again:
#ifdef LOOK_FIRST
    if
    :: !leads -> look()
    :: else -> skip
    fi;
#else
    look();
#endif
    if
    :: has -> goto leave
    :: skip -> goto leave /* its time is up, or it is told to end */
    :: !has -> skip
    fi;

    /* wait_sleep() */
    asleep[me] = 1;
end_asleep:
    if
    :: leads && event[me] ->
        atomic { asleep[me] = 0; event[me] = 0; duty = event_of_ready[me]; event_of_ready[me] = 0 };
        if
#ifndef BUCKET_UNSEEN
        :: duty -> atomic { watches_bucket[me] = bucket }
#endif
        :: else -> skip
        fi;
        duty = 0
    :: !leads && rung[me] ->
        atomic { asleep[me] = 0; rung[me] = 0 };
        try_to_lead()
    fi;
    goto again;

leave: /* wait_leave() */
    duty = leads;
    atomic { fifo[me] = 0 };
    if
    :: !leads && rung[me] -> rung[me] = 0; duty = 1
    :: else -> skip
    fi;
    atomic { open[me] = 0; rung[me] = 0 };
    if
    :: leads ->
#ifdef HAND_ON_FIRST
        hand_on();
#endif
        leader = NOBODY;
        atomic { watches_ready[me] = 0; watches_bucket[me] = 0; leads = 0 }
#ifdef HAND_ON_FIRST
        ;
        duty = 0
#endif
#ifndef DEAF
    :: else -> /* a ring may have come after we read: whoever rings has dropped the lock before */
        duty = duty || leader == NOBODY
#else
    :: else -> skip
#endif
    fi;
    if
    :: duty -> hand_on()
    :: else -> skip
    fi
}

#ifdef KILL
/* Kills a follower in his sleep, or nobody. */
active proctype killer()
{
    byte w;
    select(w : 0 .. WAITERS);
    atomic {
        if
        :: w < WAITERS && asleep[w] && open[w] && !rung[w] -> asleep[w] = 0; open[w] = 0
        :: else -> skip
        fi
    }
}
#endif

/* When nothing moves any more. */
active proctype observer()
{
end_never:
    timeout ->
    assert(ready == 0 || !(asleep[0] || asleep[1] || asleep[2]))
}

init
{
    atomic {
        byte n;
        do
        :: n < WAITERS -> run waiter(n); n++
        :: else -> break
        od;
        run sender()
    }
}
