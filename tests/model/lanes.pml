/*
 * A lane of an ordered queue: its birth, its token, its death and its rebirth.
 *
 * Models mq-spool(5), "Lanes" (lane_heads.pml has files of several messages, dead letters and transactions): lane_make(), lane_join() and lane_end() of lib/lane, and the claims of
 * lib/lifecycle on a lane's token. The token is a file whose name says which message of the lane is the head; it lies in
 * ready/ (READY), in inflight/ under a claim (HELD), or in inflight/ after its head was settled (SETTLED). Each call of
 * the file system is one step, so a process may be stopped or killed between any two; a stopped holder goes on past its
 * lease, and a sender may link late. A lease may end at any time.
 *
 * MESSAGES are sent by two senders, message 0 and then 1 by the first one. WORKERS claim, settle, give back and do what
 * has lapsed, in any order, for ever. At any moment all may be killed at once: a survivor then drains the queue.
 *
 * Checked: a message is delivered only if it is unsettled, if no other token of the lane is alive, and if what its sender
 * sent before it is settled; nobody but the holder settles; the survivor finds all that was reported as sent.
 *
 * Abstracted: one lane; GENERATIONS of it, each with a token of its own number; whatever ends a message (ack, dead letter,
 * expiry) is one step after the token says so; a mark is fresh as long as anybody remembers it.
 *
 * With REST a lane that is empty may rest: its settled token stays until its lease ends, and the lane tells the token's name
 * (`note`), by which a sender that joins the lane moves the token on.
 *
 * ONE_SENDER and ONE_WORKER make smaller models.
 *
 * Mutations of REST: WAKE_OWN (a sender shows its own message, not the first of the lane), NO_RELIST (the lane is not listed
 * again after it has told the name, with STALL: then a message waits until the end of the lease, which the check of STALL
 * finds).
 *
 * Mutations: NO_GENERATION (whoever moves a token on does not ask whether the lane is still the token's), REMOVE_FIRST
 * (the message goes before its token tells that), SEE_EMPTY (a lane is closed because it was seen empty), TOKEN_LATE (the
 * lane gets its name before its token), NO_VOID (a token whose lane is not born yet just goes), SAME_MARK (all claims have the same mark, and so have their settled tokens).
 */
#define WORKERS 2
#define SENDERS 2
#define PROCESSES (WORKERS + SENDERS)
#ifndef GENERATIONS
#define GENERATIONS 2 /* at most 3 */
#endif
#define MESSAGES 3
#define NONE 7

#define GONE 0
#define SETTLED 1
#define READY 2
#define HELD 3

/* lanes/KEY: the generation of the lane that has the name, 0: none */
byte lane;
bit queue[4]; /* its q/ is there */
bit gen[4];   /* its gen.G is there */
bit in_tmp[4]; /* it is made, and has no name in lanes/ yet */
byte born;                  /* generations that were begun */
byte place[4], head[4], mark[4];
byte note[4];               /* REST: the mark of the token that rests, as the lane tells it; it may be of long ago */
bit looked[MESSAGES];       /* its sender has looked at the note */
byte lies_in[MESSAGES];     /* the generation in whose q/ it lies; 0: none */
bit reported[MESSAGES], settled[MESSAGES];
byte mine[PROCESSES], about[PROCESSES]; /* the mark that a process remembers, and of which token */
bit frozen;

#define ME (_pid - 1)
#define IS(g, p) (place[g] == p && mark[g] == mine[ME])
#define KNOWN(g, k) ((mark[g] == k && place[g]) || note[g] == k || (about[0] == g && mine[0] == k) || (about[1] == g && mine[1] == k) || \
                     (about[2] == g && mine[2] == k) || (about[3] == g && mine[3] == k))
#define LIVES(g) (gen[g] && lane == g && place[g])
#define IN(g) (lies_in[0] == g || lies_in[1] == g || lies_in[2] == g)

inline draw(g)
{
    k = 1;
#ifndef SAME_MARK
    do
    :: KNOWN(g, k) -> k++
    :: else -> break
    od;
#endif
    mark[g] = k; mine[ME] = k; about[ME] = g; k = 0
}

inline first_in(g, first)
{
    if
    :: lies_in[0] == g -> first = 0
    :: lies_in[0] != g && lies_in[1] == g -> first = 1
    :: lies_in[0] != g && lies_in[1] != g && lies_in[2] == g -> first = 2
    :: else -> first = NONE
    fi
}

inline first_of(g) { first_in(g, m) }

/* ---- sending ---------------------------------------------------------------------------- */

proctype sender(byte m, last) provided (!frozen)
{
    byte g, k, f;

again:
    atomic { /* open lanes/KEY/q */
        mine[ME] = 0; about[ME] = 0;
        if
        :: lane && queue[lane] -> g = lane; goto join
        :: else -> skip
        fi
    };
    /* make a lane: in tmp/, then its token, then its name, which replaces an empty directory at most */
    atomic {
        if
        :: born < GENERATIONS -> born++; g = born; in_tmp[g] = 1
        :: else -> goto end
        fi
    };
#ifndef TOKEN_LATE
    atomic { place[g] = SETTLED; head[g] = NONE; draw(g) };
#endif
    atomic {
        if
        :: in_tmp[g] && (lane == 0 || (!queue[lane] && !gen[lane])) ->
            in_tmp[g] = 0; lane = g; queue[g] = 1; gen[g] = 1
        :: else -> goto lost
        fi
    };
#ifdef TOKEN_LATE
    atomic { place[g] = SETTLED; head[g] = NONE; draw(g) };
#endif
    goto first;

lost: /* another sender was first; or the lane is half gone: what is left of it goes */
    atomic {
        if
        :: lane && !queue[lane] -> k = lane
        :: else -> k = 0
        fi
    };
    atomic { gen[k] = 0; k = 0 };
    in_tmp[g] = 0;
    atomic {
        if
        :: IS(g, SETTLED) -> place[g] = GONE; mark[g] = 0
        :: else -> skip
        fi
    };
    goto again;

join:
    atomic {
        if
        :: queue[g] -> lies_in[m] = g
        :: else -> goto again
        fi
    };
#ifdef REST
    atomic { /* list the lane that has the name now */
        g = lane;
        if
        :: g && note[g] -> mine[ME] = note[g]; about[ME] = g
        :: else -> looked[m] = 1; goto report
        fi
    };
    atomic { /* and its q/ */
        f = NONE;
        if
        :: g && queue[g] -> first_in(g, f)
        :: else -> skip
        fi;
#ifdef WAKE_OWN
        f = m
#endif
    };
    atomic {
        if
        :: f != NONE && IS(g, SETTLED) -> place[g] = READY; head[g] = f; mark[g] = 0
        :: else -> skip
        fi;
        looked[m] = 1; f = 0
    };
#endif
    goto report;

first:
    atomic {
        if
        :: queue[g] -> lies_in[m] = g
        :: else -> goto again
        fi
    };
    atomic { /* the token names the head, unless another process has done so already */
        if
        :: IS(g, SETTLED) -> place[g] = READY; head[g] = m
        :: else -> skip
        fi
    };

report:
    atomic {
        reported[m] = 1;
        if
        :: m < last -> m++; goto again
        :: else -> skip
        fi
    };
end:
    skip
}

/* ---- receiving -------------------------------------------------------------------------- */

inline deliver()
{
    if
    :: IS(g, HELD) && gen[g] ->
        assert(!settled[m]);
        assert(m != 1 || settled[0] || !reported[0]);
        assert(LIVES(1) + LIVES(2) + LIVES(3) == 1)
    :: else -> skip /* its claim is over, and it will learn that */
    fi
}

proctype worker() provided (!frozen)
{
    byte g, d, m, k;

again:
    atomic {
        d = 0; k = 0; m = 0; mine[ME] = 0; about[ME] = 0;
        select(g : 1 .. GENERATIONS);
        if
        :: place[g] == READY -> goto claim
        :: place[g] == HELD -> mine[ME] = mark[g]; about[ME] = g; goto lapse
        :: place[g] == SETTLED -> mine[ME] = mark[g]; about[ME] = g; m = head[g]; goto finish
        :: place[g] == GONE -> goto again
        fi
    };

lapse:
    atomic {
        if
        :: IS(g, HELD) -> place[g] = READY; mark[g] = 0
        :: else -> skip
        fi
    };
    goto again;

claim:
    atomic {
        if
        :: place[g] == READY -> place[g] = HELD; m = head[g]; draw(g)
        :: else -> goto again
        fi
    };
    atomic { /* open the message by its path, then ask for the generation */
        if
        :: lane && lies_in[m] == lane -> d = 1
        :: else -> d = 0
        fi
    };
    atomic {
        if
        :: !(lane == g && gen[g]) -> goto drop
        :: lane == g && gen[g] && !d -> goto move_on
        :: else -> deliver()
        fi
    };
    if
    :: skip -> goto settle
    :: skip -> goto lapse /* nack, release: the same rename */
    :: skip -> goto again /* it dies, or forgets it */
    fi;

settle:
#ifdef REMOVE_FIRST
    atomic {
        if
        :: lane && lies_in[m] == lane -> lies_in[m] = 0; settled[m] = 1
        :: else -> skip
        fi
    };
#endif
    atomic { /* this decides; the mark follows from that of the claim, which no other claim ever has */
        if
        :: IS(g, HELD) -> place[g] = SETTLED; settled[m] = 1
        :: else -> goto again
        fi
    };

finish: /* the lane is opened once; what was opened is asked for the generation */
    atomic {
        d = lane;
        if
        :: m != NONE && d && lies_in[m] == d -> assert(settled[m]); lies_in[m] = 0
        :: else -> skip
        fi
    };
#ifdef REST
    if /* a worker that finds its own note of this generation there need not ask: it is in no other lane */
    :: d == g && note[g] -> goto rest
    :: skip
    fi;
#endif
    goto opened;

move_on:
    d = lane;
opened:
    atomic {
#ifndef NO_GENERATION
        if
        :: d != g || !gen[d] -> goto not_born
        :: else -> skip
        fi
#else
        if
        :: d == 0 -> goto not_born
        :: else -> skip
        fi
#endif
    };
#ifdef REST
    if /* a worker that expects the lane to be empty does not look before */
    :: goto rest
    :: skip
    fi;
#endif
list:
    atomic {
        if
        :: !queue[d] -> goto clear
        :: else -> first_of(d)
        fi
    };
    if
    :: m == NONE -> goto close
#ifdef REST
    :: m == NONE -> goto rest
#endif
    :: m != NONE -> skip
    fi;
shown:
    atomic {
        if
        :: IS(g, SETTLED) || IS(g, HELD) -> place[g] = READY; head[g] = m; mark[g] = 0
        :: else -> skip
        fi
    };
    goto again;

#ifdef REST
rest: /* only a settled token: the lane is written to as it was opened */
    atomic {
        if
        :: mine[ME] == mark[g] && place[g] == HELD -> goto close
        :: else -> note[d] = mine[ME]
        fi
    };
#ifndef NO_RELIST
    atomic {
        if
        :: !queue[d] -> goto clear
        :: else -> first_of(d)
        fi
    };
    if
    :: m != NONE -> goto shown
    :: m == NONE -> skip
    fi;
#endif
#ifdef STALL
    /* whoever was reported as sent, and looked before, has been seen */
    atomic {
        if
        :: IS(g, SETTLED) -> assert(!(lies_in[0] == g && looked[0]) && !(lies_in[1] == g && looked[1]) && !(lies_in[2] == g && looked[2]))
        :: else -> skip
        fi
    };
#endif
    goto again;
#endif

close: /* rmdir decides */
    atomic {
        if
#ifndef SEE_EMPTY
        :: IN(d) -> goto list
#endif
        :: else -> queue[d] = 0
        fi
    };
    goto clear;

not_born: /* a lane that is not born yet never will be; or else it was born meanwhile, or is dead */
#ifdef NO_VOID
    goto drop;
#else
    atomic {
        if
        :: in_tmp[g] -> in_tmp[g] = 0; goto drop
        :: else -> skip
        fi
    };
    atomic {
        d = lane;
        if
#ifdef NO_GENERATION
        :: d == 0 -> goto drop
#else
        :: d != g || !gen[d] -> goto drop
#endif
        :: else -> goto list
        fi
    };
#endif

clear:
    gen[d] = 0;
    atomic {
        if
        :: lane == d && !queue[d] && !gen[d] -> lane = 0
        :: else -> skip
        fi
    };
drop:
    atomic {
        if
        :: IS(g, SETTLED) || IS(g, HELD) -> place[g] = GONE; mark[g] = 0
        :: else -> skip
        fi
    };
    goto again
}

/* ---- a survivor -------------------------------------------------------------------------- */

inline drain(g)
{
    do
    :: place[g] == GONE -> break
    :: place[g] != GONE ->
        if
        :: head[g] != NONE && place[g] == SETTLED && lies_in[head[g]] == lane && lane -> lies_in[head[g]] = 0
        :: else -> skip
        fi;
        if
        :: (lane != g || !gen[g] || !queue[g]) -> place[g] = GONE
        :: else ->
            if
            :: (place[g] == READY || place[g] == HELD) && lies_in[head[g]] == g -> settled[head[g]] = 1;
                lies_in[head[g]] = 0
            :: else -> skip
            fi;
            place[g] = SETTLED;
            first_of(g);
            if
            :: m == NONE -> queue[g] = 0; gen[g] = 0; lane = 0; place[g] = GONE
            :: else -> head[g] = m; place[g] = READY
            fi
        fi
    od
}

init
{
    byte m;
    atomic {
        run sender(0, 1);
#ifndef ONE_SENDER
        run sender(2, 2);
#endif
        run worker();
#ifndef ONE_WORKER
        run worker()
#endif
    };
    d_step {
        frozen = 1;
        drain(1);
        drain(2);
        drain(3);
        assert(!reported[0] || settled[0]);
        assert(!reported[1] || settled[1]);
        assert(!reported[2] || settled[2])
    }
}
