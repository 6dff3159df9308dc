/*
 * Messages taken out of a lane: an administrator removes or moves one message of a file that others of its group share.
 *
 * Models mq-spool(5), "Lanes"; lane_heads.pml has what else happens to a head. The lane's first file has the messages 0 and 1,
 * its second one message 2. The token says which message comes next, and how many it stands for. A cutter takes out one
 * message: it links the file to a draft, renames gen.G so that whoever claims looks for cuts, makes the cut, which names the
 * draft, and looks where the token is. If the message is claimed or settled it makes its draft void; else it removes or moves
 * the draft, which decides. A draft that is neither there nor void was taken. A worker that has claimed looks for gen.G; if it
 * is renamed the worker makes the drafts of its messages void, and passes over what was taken. An expired head is settled
 * without a claim; whoever buries it then looks for cuts. Whoever is done with a file clears its cuts.
 *
 * Each call of the file system is one step. Two workers and two cutters do this; a lease may end at any time. At any moment all
 * may be killed: a survivor then drains the lane.
 *
 * Checked: what is settled or buried was not taken out, and the other way round; the survivor finds that each message was done,
 * is dead or was taken out, and no two of these.
 *
 * Mutations: NO_LOOK (the cutter does not look for the token), LATE_FLAG (gen.G is renamed last), NO_VOID (a worker takes a
 * draft that is still there for nothing), BLIND_BURY (an expired head is buried without a look), ONE_NAME (a cut whose draft is
 * void is made anew under its name).
 */
#ifndef CUTTERS
#define CUTTERS 2
#endif
#ifndef WORKERS
#define WORKERS 2
#endif
#define MESSAGES 3
#ifndef TRIES
#define TRIES 2
#endif

#define GONE 0
#define SETTLED 1
#define READY 2
#define HELD 3

#define NO_CUT 0
#define OPEN 1 /* the cut is there, and its draft */
#define VOID 2
#define TAKEN 3
#define CLEARED 4

byte place = READY, mark, first, count = 2;
bit cause; /* 1: dead */
bit here[2] = 1;
bit renamed; /* gen.G */
byte cut[6]; /* of each message two, one after the other */
bit settled[MESSAGES], done[MESSAGES], dead[MESSAGES];
byte mine[2];
bit frozen;

#define ME (_pid - 1)
#define IS(p) (place == p && mark == mine[ME])
#define FILE_OF(m) ((m) / 2)
#define OUT(m) (cut[2 * (m)] == TAKEN || cut[2 * (m) + 1] == TAKEN)

inline draw()
{
    if
    :: mine[1 - ME] != 1 -> mark = 1
    :: else -> mark = 2
    fi;
    mine[ME] = mark
}

inline read_token()
{
    mine[ME] = mark; f = first; n = count; c = cause
}

inline clear_file(w)
{
    if
    :: w == 0 -> cut[0] = CLEARED; cut[1] = CLEARED; cut[2] = CLEARED; cut[3] = CLEARED
    :: else -> cut[4] = CLEARED; cut[5] = CLEARED
    fi
}

inline keep_outs(w)
{
    i = 2 * w;
    do
    :: i <= 2 * w + 1 && i < MESSAGES ->
        if
        :: OUT(i) -> taken_out[i] = 1
        :: else -> skip
        fi;
        i++
    :: else -> break
    od;
    i = 0
}

bit taken_out[MESSAGES];

inline go_on_from(p)
{
    if
    :: p == 1 && here[0] -> first = 1; count = 1; place = READY
    :: !(p == 1 && here[0]) && p <= 2 && here[1] -> first = 2; count = 1; place = READY
    :: else -> place = GONE
    fi;
    mark = 0; cause = 0
}

proctype worker() provided (!frozen)
{
    byte f, n, i, t;
    bit c, o;

again:
    atomic {
        f = 0; n = 0; i = 0; t = 0; c = 0; o = 0; mine[ME] = 0;
        if
        :: place == READY -> goto claim
        :: place == READY -> goto expire
        :: place == HELD -> read_token(); goto lapse
        :: place == SETTLED -> read_token(); goto finish
        :: place == GONE -> goto end
        fi
    };

lapse:
    atomic {
        if
        :: IS(HELD) -> place = READY; mark = 0
        :: else -> skip
        fi
    };
    goto again;

expire:
    atomic {
        if
        :: place == READY -> place = SETTLED; cause = 1; draw()
        :: else -> goto again
        fi;
        if
        :: count == 2 -> count = 1
        :: skip
        fi;
        read_token()
    };
    goto finish;

claim:
    atomic {
        if
        :: place == READY -> place = HELD; draw()
        :: else -> goto again
        fi;
        if
        :: count == 2 -> count = 1
        :: skip
        fi;
        read_token()
    };
    if
    :: !renamed -> goto work
    :: else -> skip
    fi;
    i = 0;
    do /* each of its messages, each cut of that */
    :: i < n ->
        t = 0; o = 0;
        do
        :: t < TRIES ->
            atomic {
                if
#ifndef NO_VOID
                :: cut[2 * (f + i) + t] == OPEN -> cut[2 * (f + i) + t] = VOID; t++
#else
                :: cut[2 * (f + i) + t] == OPEN -> t = TRIES
#endif
                :: cut[2 * (f + i) + t] == VOID -> t++
                :: cut[2 * (f + i) + t] == TAKEN -> o = 1; t = TRIES
                :: else -> t = TRIES
                fi
            }
        :: else -> break
        od;
        if
        :: o -> break
        :: else -> i++
        fi
    :: else -> break
    od;
    if
    :: o && i == 0 -> goto pass
    :: o && i > 0 ->
        atomic {
            if
            :: IS(HELD) -> count = 1; n = 1; draw()
            :: else -> goto again
            fi
        }
    :: else -> skip
    fi;

work:
    atomic { i = 0; t = 0; o = 0 };
    if
    :: skip -> c = 0
    :: n == 1 -> c = 1
    :: skip -> goto lapse
    :: skip -> goto again
    fi;
    atomic {
        if
        :: IS(HELD) -> place = SETTLED; cause = c; draw();
            assert(!OUT(f)); settled[f] = 1; done[f] = !c;
            if
            :: n == 2 -> assert(!OUT(f + 1)); settled[f + 1] = 1; done[f + 1] = 1
            :: else -> skip
            fi
        :: else -> goto again
        fi
    };
    goto finish;

pass:
    atomic {
        if
        :: IS(HELD) -> place = SETTLED; cause = 0; count = 1; n = 1; draw(); assert(OUT(f))
        :: else -> goto again
        fi
    };
    c = 0;

finish:
    if
    :: c -> goto bury
    :: else -> goto is_over
    fi;

bury:
    i = 0;
    do
    :: i < n ->
        t = 0; o = 0;
#ifndef BLIND_BURY
        do
        :: renamed && t < TRIES ->
            atomic {
                if
                :: cut[2 * (f + i) + t] == OPEN -> cut[2 * (f + i) + t] = VOID; t++
                :: cut[2 * (f + i) + t] == VOID -> t++
                :: cut[2 * (f + i) + t] == TAKEN -> o = 1; t = TRIES
                :: else -> t = TRIES
                fi
            }
        :: else -> break
        od;
#endif
        atomic { /* a name that any process would give it */
            if
            :: !o && IS(SETTLED) && here[FILE_OF(f)] -> assert(!OUT(f + i) && !done[f + i]); dead[f + i] = 1
            :: else -> skip
            fi
        };
        i++
    :: else -> break
    od;

is_over:
    atomic { i = 0; t = 0; o = 0 };
    if
    :: f == 0 && n == 1 -> goto go_on
    :: else -> here[FILE_OF(f)] = 0
    fi;
    atomic {
        if
        :: IS(SETTLED) -> keep_outs(FILE_OF(f)); clear_file(FILE_OF(f))
        :: else -> goto again
        fi
    };

go_on:
    atomic {
        if
        :: IS(SETTLED) -> i = f + n; go_on_from(i); i = 0
        :: else -> skip
        fi
    };
    goto again;

end:
    skip
}

proctype cutter() provided (!frozen)
{
    byte m, t;
    bit covered;

    if
    :: m = 0
    :: m = 1
    :: m = 2
    fi;
    if
    :: !here[FILE_OF(m)] -> goto over
    :: else -> skip
    fi;
#ifndef LATE_FLAG
    renamed = 1;
#endif
    do
    :: t < TRIES ->
        atomic {
            if
            :: cut[2 * m + t] == NO_CUT -> cut[2 * m + t] = OPEN; break
#ifdef ONE_NAME
            :: cut[2 * m + t] == VOID -> cut[2 * m + t] = OPEN; break
#else
            :: cut[2 * m + t] == VOID -> t++
#endif
            :: cut[2 * m + t] == OPEN -> cut[2 * m + t] = VOID; t++
            :: else -> goto over
            fi
        }
    :: else -> goto over
    od;
#ifndef NO_LOOK
    atomic {
        covered = (place == GONE) || (place == READY && m < first) ||
                  ((place == HELD || place == SETTLED) && m < first + count)
    };
#endif
#ifdef LATE_FLAG
    renamed = 1;
#endif
    if
    :: !covered && !here[FILE_OF(m)] -> covered = 1
    :: else -> skip
    fi;
    atomic {
        if
        :: cut[2 * m + t] == OPEN && covered -> cut[2 * m + t] = VOID
        :: cut[2 * m + t] == OPEN && !covered -> cut[2 * m + t] = TAKEN; assert(!settled[m] && !dead[m])
        :: else -> skip
        fi
    };
over:
    atomic { m = 0; t = 0; covered = 0 }
}

inline drain()
{
    do
    :: place == GONE -> break
    :: place == HELD -> place = READY
    :: place == READY ->
        i = first;
        do
        :: i < first + count ->
            if
            :: !OUT(i) -> assert(!settled[i] && !dead[i]); done[i] = 1; settled[i] = 1
            :: else -> skip
            fi;
            i++
        :: else -> break
        od;
        place = SETTLED; cause = 0
    :: place == SETTLED ->
        i = first;
        do
        :: i < first + count ->
            if
            :: cause && !OUT(i) && here[FILE_OF(first)] -> dead[i] = 1
            :: else -> skip
            fi;
            i++
        :: else -> break
        od;
        if
        :: !(first == 0 && count == 1) -> here[FILE_OF(first)] = 0
        :: else -> skip
        fi;
        i = first + count; go_on_from(i)
    od
}

init
{
    byte i;
    atomic {
        run worker();
#if WORKERS > 1
        run worker();
#endif
        run cutter();
#if CUTTERS > 1
        run cutter()
#endif
    };
    d_step {
        frozen = 1;
        drain();
        assert(done[0] + dead[0] + (OUT(0) || taken_out[0]) == 1);
        assert(done[1] + dead[1] + (OUT(1) || taken_out[1]) == 1);
        assert(done[2] + dead[2] + (OUT(2) || taken_out[2]) == 1)
    }
}
