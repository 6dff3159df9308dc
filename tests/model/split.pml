/*
 * The split of a batch: one message taken off the front of a file that holds several.
 *
 * Models the steps of mq-spool(5), "Batches": L (link into tmp/), R (rename the rest), C (rename the link to where
 * the message goes), the finishing of somebody else's split, whole claims and what they do later (ack, ack of the
 * first, giving back), lapsing claims, and the sweep of what killed processes left in tmp/.
 *
 * One file of N messages; WORKERS processes do any of this in any order, for ever. Each file-system call is one
 * step, but for link(2), which looks for the old name in one and makes the new one in another: it does the second
 * as long as the file has any name. Being stopped is being passed over by the scheduler; being killed is that for good, so both may happen
 * anywhere. At any moment all workers may be killed at once: one survivor then has to drain the queue.
 *
 * Checked: in every state each message is covered by exactly one name, or hidden by one split that the next one who
 * comes by must finish (no loss, one holder); the survivor gets all messages in a bounded number of steps, and what
 * is left in tmp/ goes.
 *
 * Abstracted: buckets (bucket.pml) and hints (heads.pml); a name is its position, the mark of its `s` and whether it
 * was attempted; a mark is who made it, and a sweep takes a link that was made again for another one, as it would see
 * a fresh mark; a token is fresh as long as anybody may remember it; deadlines may pass at any time.
 *
 * NO_REJECT leaves out the split inside inflight/, for a smaller model.
 *
 * Mutations: NO_LINK (R before L), NO_FINISH (movers do not finish), SHARED (all use one mark: whose link it is does
 * not matter), TIDY (so, and who loses R removes the link), KEEP_MARK (a claim and an ack of the first keep `s`),
 * SWEEP_BY_AGE (leftovers go by age, as other files in tmp/), COUNT_ONCE (links are counted, but the names not looked
 * at again).
 */
#define N 3
#define WORKERS 2
#define MARKS (WORKERS + 1) /* 0: none */

#define NAMES (N * MARKS * 2)
#define NAME(p, s, a) (((p) * MARKS + (s)) * 2 + (a)) /* position, mark of what was split off in front, attempted */
#define POSITION(x) ((x) / (MARKS * 2))
#define MARK(x) (((x) / 2) % MARKS)
#define ATTEMPTED(x) ((x) % 2)

bit ready_batch[NAMES];
byte held_batch[NAMES]; /* its token */
bit ready_single[N];
byte held_single[N];
bit split[N * MARKS]; /* tmp/split-<position of the rest>.<mark> */
#define LINK(p, s) ((p) * MARKS + (s))
bit gone[N];      /* acked, or a dead letter: a state that ends here */
byte mine[WORKERS], seen[WORKERS];
byte listed[WORKERS]; /* the links that a sweep has seen, and whether one of them has gone since */
#define GONE 128
bit frozen;

/* ---- what must hold ------------------------------------------------------------------ */

#define READY(p) (ready_batch[NAME(p, 0, 0)] + ready_batch[NAME(p, 0, 1)] + \
                  ready_batch[NAME(p, 1, 0)] + ready_batch[NAME(p, 1, 1)] + \
                  ready_batch[NAME(p, 2, 0)] + ready_batch[NAME(p, 2, 1)])
#define HELD(p, t) ((held_batch[NAME(p, 0, 0)] t) + (held_batch[NAME(p, 0, 1)] t) + \
                    (held_batch[NAME(p, 1, 0)] t) + (held_batch[NAME(p, 1, 1)] t) + \
                    (held_batch[NAME(p, 2, 0)] t) + (held_batch[NAME(p, 2, 1)] t))
#define BATCHES(p) (READY(p) + HELD(p, != 0))
#define SINGLES(m) (ready_single[m] + (held_single[m] != 0))

/* The names that stand for message m; a batch stands for all from its position on. */
#define COVERED_0 (gone[0] + SINGLES(0) + BATCHES(0))
#define COVERED_1 (gone[1] + SINGLES(1) + BATCHES(0) + BATCHES(1))
#define COVERED_2 (gone[2] + SINGLES(2) + BATCHES(0) + BATCHES(1) + BATCHES(2))

/* Message m waits in tmp/ for the next who comes by: the name behind it says that it was split off. */
#define HIDDEN(m) (SAYS(m + 1, 1) || SAYS(m + 1, 2))
#define SAYS(p, s) (split[LINK(p, s)] && (ready_batch[NAME(p, s, 0)] || ready_batch[NAME(p, s, 1)] || \
                                          held_batch[NAME(p, s, 0)] || held_batch[NAME(p, s, 1)]))

inline check()
{
    assert(COVERED_0 == 1 || (COVERED_0 == 0 && HIDDEN(0)));
    assert(COVERED_1 == 1 || (COVERED_1 == 0 && HIDDEN(1)));
    assert(COVERED_2 == 1)
}

#define IN_TMP (split[LINK(1, 1)] + split[LINK(1, 2)] + split[LINK(2, 1)] + split[LINK(2, 2)])
#define NAMES_IN_TMP (split[LINK(1, 1)] << 1 | split[LINK(1, 2)] << 2 | split[LINK(2, 1)] << 4 | split[LINK(2, 2)] << 5)
#define BITS(l) (((l) >> 1 & 1) + ((l) >> 2 & 1) + ((l) >> 4 & 1) + ((l) >> 5 & 1))
#define LINKS (BATCHES(0) + BATCHES(1) + BATCHES(2) + SINGLES(0) + SINGLES(1) + SINGLES(2) + IN_TMP)

#define IS_USED(t) (HELD(0, == t) || HELD(1, == t) || HELD(2, == t) || held_single[0] == t || held_single[1] == t || \
                    held_single[2] == t || mine[0] == t || mine[1] == t || seen[0] == t || seen[1] == t)

/* One that no name holds and nobody remembers. */
inline draw_token(token)
{
    token = 1;
    do
    :: IS_USED(token) -> token++
    :: else -> break
    od
}

/* ---- calls of the file system -------------------------------------------------------- */

/* A link that is made again has another name. */
inline drop_link(l)
{
    split[l] = 0;
    if
    :: listed[0] >> ((l) - MARKS) & 1 -> listed[0] = listed[0] | GONE
    :: else -> skip
    fi;
    if
    :: listed[1] >> ((l) - MARKS) & 1 -> listed[1] = listed[1] | GONE
    :: else -> skip
    fi
}

#ifdef NO_FINISH
#define FINISHES false
#else
#define FINISHES true
#endif

/* Whoever is about to move or split a name with the mark first puts the message before it into its place. */
inline finish_ready(x)
{
    atomic {
        if
        :: FINISHES && MARK(x) && split[LINK(POSITION(x), MARK(x))] ->
            assert(!ready_single[POSITION(x) - 1]);
            drop_link(LINK(POSITION(x), MARK(x)));
            ready_single[POSITION(x) - 1] = 1;
            check()
        :: else -> skip
        fi
    }
}

inline finish_held(x, token)
{
    atomic {
        if
        :: FINISHES && MARK(x) && split[LINK(POSITION(x), MARK(x))] ->
            assert(!held_single[POSITION(x) - 1]);
            drop_link(LINK(POSITION(x), MARK(x)));
            held_single[POSITION(x) - 1] = token;
            check()
        :: else -> skip
        fi
    }
}

/* ---- a process ------------------------------------------------------------------------ */

#define ME (_pid - 1)
#if defined(SHARED) || defined(TIDY)
#define MY_MARK 1
#else
#define MY_MARK (ME + 1)
#endif
#define MY_LINK(x) LINK(POSITION(x) + 1, MY_MARK)
#define REST_BY(x, s) NAME(POSITION(x) + 1, s, ATTEMPTED(x))
#define REST(x) REST_BY(x, MY_MARK)

/* The second half of link(2): the old name may have gone since. */
inline link_late(x)
{
    atomic {
        if
        :: LINKS > 0 -> split[MY_LINK(x)] = 1; check()
        :: else -> goto again
        fi
    }
}

inline lose(x)
{
#ifndef SHARED
    drop_link(MY_LINK(x));
    check()
#else
    skip
#endif
}

proctype worker() provided (!frozen)
{
    byte x, m, token;

again:
    atomic { /* one look at the directories, at which it may choose any name that is there */
        token = 0; mine[ME] = 0; seen[ME] = 0;
        select(m : 0 .. N - 1);
        select(x : 0 .. NAMES - 1);
        if
        :: ready_batch[x] -> m = 0; goto found_batch
        :: held_batch[x] -> m = 0; seen[ME] = held_batch[x]; goto lapse_batch
        :: ready_single[m] -> x = 0; goto found_single
        :: held_single[m] -> x = 0; seen[ME] = held_single[m]; goto lapse_single
        :: IN_TMP > 0 -> x = 0; m = 0; goto sweep
        :: else -> goto again
        fi
    };

found_batch:
    finish_ready(x);
    if
    :: !ATTEMPTED(x) || POSITION(x) == N - 1 -> goto claim_whole
    :: POSITION(x) < N - 1 -> goto split_ready
    fi;

claim_whole:
    atomic {
        if
        :: ready_batch[x] ->
            draw_token(token);
            mine[ME] = token;
            ready_batch[x] = 0;
#ifndef KEEP_MARK
            x = NAME(POSITION(x), 0, ATTEMPTED(x));
#endif
            assert(!held_batch[x]);
            held_batch[x] = mine[ME];
            check()
        :: else -> goto again
        fi
    };
    goto holding_batch;

split_ready:
#ifndef NO_LINK
    atomic { /* L */
        if
        :: ready_batch[x] -> skip
        :: else -> goto again
        fi
    };
    link_late(x);
#endif
    atomic { /* R */
        if
        :: ready_batch[x] ->
            assert(!ready_batch[REST(x)]);
            ready_batch[x] = 0;
            ready_batch[REST(x)] = 1;
            check()
        :: else -> goto lost_batch
        fi
    };
#ifdef NO_LINK
    atomic {
        if
        :: ready_batch[REST(x)] -> split[MY_LINK(x)] = 1
        :: else -> goto again
        fi
    };
#endif
    atomic { /* C */
        m = POSITION(x);
        if
        :: split[MY_LINK(x)] ->
            draw_token(token);
            mine[ME] = token;
            drop_link(MY_LINK(x));
            assert(!held_single[m]);
            held_single[m] = mine[ME];
            check()
        :: else -> goto again
        fi
    };
    goto holding_single;

found_single:
    atomic {
        if
        :: ready_single[m] ->
            draw_token(token);
            mine[ME] = token;
            ready_single[m] = 0;
            held_single[m] = mine[ME];
            check()
        :: else -> goto again
        fi
    };

holding_single:
    atomic {
        if
        :: held_single[m] == mine[ME] ->
            held_single[m] = 0;
            if
            :: gone[m] = 1        /* ack or reject */
            :: ready_single[m] = 1 /* release or nack */
            fi;
            check()
        :: else -> skip /* the claim has lapsed */
        fi
    };
    goto again;

holding_batch:
    if
    :: skip -> /* ack all: unlink; or give it back: rename */
        atomic {
            if
            :: held_batch[x] == mine[ME] ->
                held_batch[x] = 0;
                if
                :: m = POSITION(x);
                   do
                   :: m < N -> gone[m] = 1; m++
                   :: else -> break
                   od
                :: ready_batch[NAME(POSITION(x), 0, ATTEMPTED(x))] = 1 /* released: the very name it had */
                :: ready_batch[NAME(POSITION(x), 0, 1)] = 1            /* not acked, and that counts */
                fi;
                check()
            :: else -> skip
            fi
        };
        goto again
    :: POSITION(x) < N - 1 -> goto advance
#ifndef NO_REJECT
    :: POSITION(x) < N - 1 -> goto split_held
#endif
    fi;

advance: /* ack of the first alone: rename to a later `o`, within inflight/ */
    finish_held(x, mine[ME]);
    atomic {
        if
        :: held_batch[x] == mine[ME] ->
            held_batch[x] = 0;
            gone[POSITION(x)] = 1;
#ifdef KEEP_MARK
            x = NAME(POSITION(x) + 1, MARK(x), ATTEMPTED(x));
#else
            x = NAME(POSITION(x) + 1, 0, ATTEMPTED(x));
#endif
            assert(!held_batch[x]);
            held_batch[x] = mine[ME];
            check()
        :: else -> goto again
        fi
    };
    goto holding_batch;

#ifndef NO_REJECT
split_held: /* the first becomes a dead letter */
    finish_held(x, mine[ME]);
    atomic { /* L */
        if
        :: held_batch[x] == mine[ME] -> skip
        :: else -> goto again
        fi
    };
    link_late(x);
    atomic { /* R */
        if
        :: held_batch[x] == mine[ME] ->
            held_batch[x] = 0;
            assert(!held_batch[REST(x)]);
            held_batch[REST(x)] = mine[ME];
            check()
        :: else -> goto lost_batch
        fi
    };
    atomic { /* C, or an unlink */
        if
        :: split[MY_LINK(x)] ->
            drop_link(MY_LINK(x));
            gone[POSITION(x)] = 1;
            check()
        :: else -> skip
        fi;
        x = REST(x)
    };
    goto holding_batch;
#endif

lost_batch: /* nobody else knows of the link */
    atomic { lose(x) };
    goto again;

lapse_batch:
    finish_held(x, seen[ME]);
    atomic {
        if
        :: held_batch[x] == seen[ME] ->
            held_batch[x] = 0;
            ready_batch[NAME(POSITION(x), 0, 1)] = 1;
            check()
        :: else -> skip
        fi
    };
    goto again;

lapse_single:
    atomic {
        if
        :: held_single[m] == seen[ME] ->
            held_single[m] = 0;
            ready_single[m] = 1;
            check()
        :: else -> skip
        fi
    };
    goto again;

sweep: /* leftovers: they were all there when the file's links were counted, and those were no more */
    listed[ME] = NAMES_IN_TMP;
#ifndef SWEEP_BY_AGE
    atomic {
        if
        :: BITS(listed[ME]) == LINKS -> skip
        :: else -> listed[ME] = 0; goto again
        fi
    };
#endif
#ifndef COUNT_ONCE
    atomic {
        if
        :: listed[ME] & GONE -> listed[ME] = 0; goto again
        :: else -> skip
        fi
    };
#endif
    atomic { x = listed[ME] & ~GONE; listed[ME] = 0 };
    do
    :: x -> atomic {
           m = 0;
           do
           :: !(x >> m & 1) -> m++
           :: else -> break
           od;
           drop_link(m + MARKS);
           x = x & ~(1 << m);
           m = 0;
           check()
       }
    :: else -> break
    od;
    goto again
}

/* ---- the survivor ----------------------------------------------------------------------- */

inline find(x, there, size)
{
    x = 0;
    do
    :: x < size && !there -> x++
    :: else -> break
    od
}

proctype survivor()
{
    byte x, steps;

    atomic { !frozen -> frozen = 1 };
    d_step {
        x = 0;
        do
        :: x < WORKERS -> mine[x] = 0; seen[x] = 0; x++
        :: else -> break
        od
    };
    do
    :: atomic {
        steps++;
        assert(steps <= 5 * N); /* it gets everything, and soon */
        find(x, held_batch[x], NAMES);
        if
        :: x < NAMES ->
            finish_held(x, held_batch[x]);
            held_batch[x] = 0;
            ready_batch[NAME(POSITION(x), 0, 1)] = 1;
            goto next
        :: else -> skip
        fi;
        find(x, held_single[x], N);
        if
        :: x < N -> held_single[x] = 0; ready_single[x] = 1; goto next
        :: else -> skip
        fi;
        find(x, ready_single[x], N);
        if
        :: x < N -> ready_single[x] = 0; gone[x] = 1; goto next
        :: else -> skip
        fi;
        find(x, ready_batch[x], NAMES);
        if
        :: x < NAMES ->
            finish_ready(x);
            ready_batch[x] = 0;
            if
            :: POSITION(x) < N - 1 -> ready_batch[REST_BY(x, 0)] = 1
            :: else -> skip
            fi;
            gone[POSITION(x)] = 1;
            goto next
        :: else -> break
        fi;
next:
        check()
    }
    od;
    atomic {
        x = 0;
        do
        :: x < N -> assert(gone[x]); x++
        :: else -> break
        od
    };
    atomic { /* what is left over is nothing but links in tmp/ */
        assert(IN_TMP == LINKS)
    }
}

init
{
    byte w;
    atomic {
        ready_batch[NAME(0, 0, 0)] = 1;
        do
        :: w < WORKERS -> run worker(); w++
        :: else -> break
        od;
        run survivor()
    }
}
