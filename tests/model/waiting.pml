/*
 * Waiting: leaders and followers, and that no wake-up is lost.
 *
 * Models wait_enter(), wait_sleep() and wait_leave() of lib/queue/wait.c, bell_ring() of lib/queue/bell.c,
 * fifo_ring_follower() of lib/queue/fifo.c,
 * the loop of mq_receive() in lib/lifecycle/receive.c, and a sender that links a message and then rings if the page says that
 * somebody leads (publish_some() of lib/lifecycle/publish.c). WAITERS processes want one message each and may give up at any
 * moment; each of SENDERS sends MESSAGES.
 *
 * Left out on purpose: the look that each waiter takes by itself now and then, which finds what a leader or a
 * follower that was killed after it was rung did not pass on; and inotify, which a leader adds after a second. So what is
 * proven is the bell alone: when nothing moves any more, no message is ready while somebody sleeps. With KILL
 * a follower or the leader is killed in its sleep at any time, and with NOISE the page says at first that somebody leads.
 * With ELSEWHERE a waiter waits in another queue, too: it may have a message there, and then leaves without a look here.
 *
 * Abstracted: a listing of waiters/ is one step a FIFO; a claim is one step; to write into the bell and to see that
 * nobody reads it is one step, as a write(2) is.
 *
 * Mutations: LOOK_FIRST (the leader looks before the page says that it leads), LOAD_FIRST (the sender reads the page
 * before it links), FIFO_LATE (no second try for the lock once the FIFO is there), HAND_ON_FIRST (the lock is dropped
 * after the bell), DEAF (a follower that leaves does not pass on a ring that came in between), CLEAR_LATE (a leader drops
 * the lock and then takes back what the page says), WORD_FIRST (the page says that there is a leader before its bell is
 * open), NO_HEIR (with KILL: a sender that finds nobody at the bell rings no follower), SAY_FIRST (a follower says that
 * it follows before it has its FIFO), FORGET_BLIND (a process that leaves and finds no follower says so, even if one has
 * come meanwhile), CLEAR_BLIND (the sender that finds nobody takes back what the page says of whichever leader).
 */
#ifndef WAITERS
#define WAITERS 3
#endif
#ifndef MESSAGES
#define MESSAGES 1
#endif
#ifndef SENDERS
#define SENDERS 1
#endif

byte leader = 255; /* which waiter holds the lock of waiters/ */
#define NOBODY 255

#ifdef NOISE
byte word = 255; /* what the page says: which waiter leads, from 1 on; 0 nobody */
#else
byte word;
#endif
byte followed;       /* what the page says of followers: 0 none; each that comes changes it */
byte ready;          /* messages to be claimed */
bit bell[3];   /* it reads the bell */
bit bell_rung;       /* a byte lies in the bell */
bit fifo[3];   /* it has its name */
bit open[3];   /* somebody reads it */
bit rung[3];   /* a byte lies in it */
bit asleep[3];
bit dead[3];

#define bell_is_read (bell[0] || bell[1] || bell[2])

/* Ring one FIFO that is there and has no byte unread. */
inline hand_on()
{
    i = 0;
    was_rung = 0;
    seen = 0;
    do
    :: i < WAITERS && !fifo[i] -> i++
    :: i < WAITERS && fifo[i] ->
        if
        :: atomic { fifo[i] && !open[i] -> fifo[i] = 0 }; i++
        :: atomic { open[i] && !rung[i] -> rung[i] = 1; was_rung = 1; seen = 1 }; break
        :: atomic { rung[i] -> i++; seen = 1 }
        :: atomic { !fifo[i] && !open[i] -> i++ }
        fi
    :: else -> break
    od
}

proctype sender()
{
    byte said, i, n;
    bit was_rung, seen;

again:
#ifdef LOAD_FIRST
    said = word;
    ready++; /* link */
#else
    ready++; /* link */
    said = word;
#endif
    n++;
    if
    :: said == 0 -> goto sent
    :: else -> skip
    fi;

    /* bell_ring() */
    if
    :: atomic { bell_is_read -> bell_rung = 1 }
    :: atomic { !bell_is_read -> skip };
#ifndef NO_HEIR
        hand_on();
#endif
        if
        :: was_rung -> skip
#ifdef CLEAR_BLIND
        :: else -> word = 0
#else
        :: else -> atomic {
            if
            :: word == said -> word = 0
            :: else -> skip
            fi
        }
#endif
        fi
    fi;
sent:
    if
    :: n < MESSAGES -> goto again
    :: else -> skip
    fi
}

inline close_bell()
{
    atomic {
        bell[me] = 0;
        if
        :: !bell_is_read -> bell_rung = 0
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
#ifdef LOOK_FIRST
        look();
#endif
#ifdef WORD_FIRST
        word = me + 1;
        bell[me] = 1
#else
        bell[me] = 1;
        word = me + 1
#endif
    :: else -> skip
    fi
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

proctype waiter(byte me)
{
    bit has, leads, duty, was_rung, seen, woken_elsewhere;
    byte i, knew;

#ifdef ELSEWHERE
    if
    :: woken_elsewhere = 1
    :: skip
    fi;
#endif
    if
    :: look() /* before it waits at all */
    :: skip   /* the page says that nothing is ready, be that right or wrong */
    fi;
    if
    :: has -> goto leave
    :: else -> skip
    fi;

    /* wait_enter() */
    try_to_lead();
    if
    :: !leads ->
        open[me] = 1;
#ifdef SAY_FIRST
        followed++;
        fifo[me] = 1;
#else
        fifo[me] = 1;
        followed++;
#endif
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
    :: dead[me] -> goto killed
    :: !dead[me] && leads && bell_rung -> atomic { asleep[me] = 0; bell_rung = 0 }
    :: !dead[me] && !leads && rung[me] ->
        atomic { asleep[me] = 0; rung[me] = 0 };
        try_to_lead()
#ifdef ELSEWHERE
    :: atomic { !dead[me] && woken_elsewhere -> asleep[me] = 0; woken_elsewhere = 0 }; goto leave
#endif
    fi;
#ifdef ELSEWHERE
    if
    :: goto leave /* rung here, too, and not looked */
    :: skip
    fi;
#endif
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
        duty = 0;
#endif
#ifdef CLEAR_LATE
        leader = NOBODY;
        word = 0;
#else
        word = 0;
        leader = NOBODY;
#endif
        close_bell();
        leads = 0
#ifndef DEAF
    :: else -> /* a ring may have come after we read: whoever rings has dropped the lock before */
        duty = duty || leader == NOBODY
#else
    :: else -> skip
#endif
    fi;
    if
    :: duty ->
        knew = followed;
        if
        :: knew > 0 ->
            hand_on();
            atomic {
                if
#ifdef FORGET_BLIND
                :: !seen -> followed = 0
#else
                :: !seen && followed == knew -> followed = 0
#endif
                :: else -> skip
                fi
            }
        :: else -> skip
        fi
    :: else -> skip
    fi;
killed:
    skip
}

#ifdef KILL
/* Kills a waiter in its sleep that was not rung, or nobody. */
active proctype killer()
{
    byte w;
    select(w : 0 .. WAITERS);
    atomic {
        if
        :: w < WAITERS && asleep[w] && open[w] && !rung[w] -> asleep[w] = 0; open[w] = 0; dead[w] = 1
        :: w < WAITERS && asleep[w] && leader == w && !bell_rung ->
            asleep[w] = 0;
            bell[w] = 0;
            dead[w] = 1;
            leader = NOBODY
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
        n = 0;
        do
        :: n < SENDERS -> run sender(); n++
        :: else -> break
        od
    }
}
