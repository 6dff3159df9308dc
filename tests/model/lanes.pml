/*
 * A lane of an ordered queue: its birth, its token, its death and its rebirth.
 *
 * Models mq-spool(5), "Lanes": lane_make(), lane_join() and lane_end() of lib/lane, and the claims of
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
 * ONE_SENDER and ONE_WORKER make smaller models.
 *
 * Mutations: NO_GENERATION (whoever moves a token on does not ask whether the lane is still the token's), REMOVE_FIRST
 * (the message goes before its token tells that), SEE_EMPTY (a lane is closed because it was seen empty), TOKEN_LATE (the
 * lane gets its name before its token), NO_VOID (a token whose lane is not born yet just goes), SAME_MARK (a settled token keeps the mark of the claim, and so do all claims).
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
byte lies_in[MESSAGES];     /* the generation in whose q/ it lies; 0: none */
bit reported[MESSAGES], settled[MESSAGES];
byte mine[PROCESSES], about[PROCESSES]; /* the mark that a process remembers, and of which token */
bit frozen;

#define ME (_pid - 1)
#define IS(g, p) (place[g] == p && mark[g] == mine[ME])
#define KNOWN(g, k) ((mark[g] == k && place[g]) || (about[0] == g && mine[0] == k) || (about[1] == g && mine[1] == k) || \
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

inline first_of(g)
{
    if
    :: lies_in[0] == g -> m = 0
    :: lies_in[0] != g && lies_in[1] == g -> m = 1
    :: lies_in[0] != g && lies_in[1] != g && lies_in[2] == g -> m = 2
    :: else -> m = NONE
    fi
}

/* ---- sending ---------------------------------------------------------------------------- */

proctype sender(byte m, last) provided (!frozen)
{
    byte g, k;

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
    atomic { /* this decides */
        if
        :: IS(g, HELD) -> place[g] = SETTLED; draw(g); settled[m] = 1
        :: else -> goto again
        fi
    };

finish:
    atomic {
        if
        :: m != NONE && lane && lies_in[m] == lane -> assert(settled[m]); lies_in[m] = 0
        :: else -> skip
        fi
    };

move_on: /* the lane is opened once; what was opened is asked for the generation */
    atomic {
        d = lane;
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
list:
    atomic {
        if
        :: !queue[d] -> goto clear
        :: else -> first_of(d)
        fi
    };
    if
    :: m == NONE -> goto close
    :: m != NONE -> skip
    fi;
    atomic {
        if
        :: IS(g, SETTLED) || IS(g, HELD) -> place[g] = READY; head[g] = m; mark[g] = 0
        :: else -> skip
        fi
    };
    goto again;

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
