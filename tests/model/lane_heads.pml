/*
 * The heads of a lane: files of several messages, dead letters, halted lanes, and claims that lie in transactions.
 *
 * Models mq-spool(5), "Lanes", beside lanes.pml, which has the birth and death of a lane; here the lane is always there. Its
 * first file has the messages 0 and 1, its second one message 2. The token says which file is the head, how many of its
 * messages are done, and whether it stands for the first of the others alone (a part) or for all of them. A message is acked or
 * dies; the token says so before anything is done (SETTLED, and `cause`). What is dead and a part gets a link in tmp/, with a
 * mark of its own; the token's next name has that mark, which decides; then the link is renamed to dead/. With HALT the token
 * of what is dead is parked then. With IN_PLACE, beside HALT, another process retries a dead letter that is a part in its place,
 * twice: it is renamed to tmp/ under a name that tells of the parked token, then the token shows it again, then that link goes; and
 * a sweeper lets parked tokens go on whose dead letter is not there, or finishes such a retry. With TX a claim may be taken into a transaction, which is committed or undone.
 *
 * Each call of the file system is one step. Two workers do all of this for ever, and whatever another one has left; a lease may
 * end at any time. A retrier takes one dead letter out, and lets its lane go on. At any moment all may be killed: a survivor
 * then drains the lane.
 *
 * Checked: a message is delivered only if it is unsettled, and all before it are settled, and with HALT not dead; it is dead
 * once at most, and not after it was retried; the survivor finds all; a lane does not stay parked for a dead letter that the
 * retrier has taken out.
 *
 * Mutations: LINK_DEAD (the link is made in dead/ itself, by whoever comes by), BY_COUNT (the token goes on by what its
 * process thinks is done, not by its name), NO_SETTLED (the retrier looks at parked tokens alone), PARK_BLIND (a token is
 * parked whatever its name is by then), DROP_CLAIM (a committed claim's token is unlinked, as other claims are), UNDO_LATE (a
 * transaction may be undone after it was committed), SWEEP_BLIND (the sweeper does not look for a link of a retry), LINK_FIRST (it
 * looks for that before it looks for the dead letter), ANY_LINK (the link does not tell of which token it is).
 */
#define WORKERS 2
#define MESSAGES 3
#define LAST 2
#define NONE 7
#define FRESH 9

#define GONE 0
#define SETTLED 1
#define READY 2
#define HELD 3
#define PARKED 4
#define OPEN_TX 5
#define DECIDED_TX 6

/* the token: where it lies, the mark in its name, the first message and how many it stands for, how they were settled, and the
   mark of the link (0: none yet) */
byte place = READY, mark, first, count = 2, link;
bit cause; /* 1: dead */
bit here[2] = 1; /* the files */
byte in_tmp[4];  /* the links in tmp/, by their marks: a message and one, or 0 */
byte dead[MESSAGES];
bit settled[MESSAGES], done[MESSAGES], retried[MESSAGES];
byte mine[5], mylink[5];
bit frozen, passed;
#define PARKINGS 4
byte parking;       /* tells the names of parked tokens apart */
bit back[PARKINGS]; /* the links of retries in their places */
#ifdef ANY_LINK
#define BACK(p) (back[0] || back[1] || back[2] || back[3])
#else
#define BACK(p) back[p]
#endif

#define ME (_pid - 1)
#define IS(p) (place == p && mark == mine[ME])
#define FILE_OF(m) (m / 2)
#define KNOWN(k) (mark == k || mine[0] == k || mine[1] == k || mine[2] == k)
#define LINKED(k) (in_tmp[k] || link == k || mylink[0] == k || mylink[1] == k)

inline draw()
{
    k = 1;
    do
    :: KNOWN(k) -> k++
    :: else -> break
    od;
    mark = k; mine[ME] = k; k = 0
}

inline deliver()
{
    assert(!settled[first] && !retried[first]);
    assert(count < 2 || !settled[first + 1]);
    assert(first < 1 || settled[0]);
    assert(first < 2 || settled[1]);
#ifdef HALT
    assert(first < 1 || done[0] || retried[0]);
    assert(first < 2 || done[1] || retried[1])
#endif
}

/* The name of the token as a process has read it. */
inline read_token()
{
    mine[ME] = mark; f = first; n = count; c = cause; l = link
}

/* The next message of the lane: of the head's file, or of the next one that is there. */
inline go_on_from(p)
{
    if
    :: p == 1 && here[0] -> first = 1; count = 1; place = READY
    :: !(p == 1 && here[0]) && p <= 2 && here[1] -> first = 2; count = 1; place = READY
    :: else -> place = GONE
    fi;
    mark = 0; cause = 0; link = 0
}

proctype worker() provided (!frozen)
{
    byte k, f, n, l, i;
    bit c;

again:
    atomic {
        k = 0; f = 0; n = 0; l = 0; c = 0; i = 0; mine[ME] = 0; mylink[ME] = 0;
        if
        :: place == READY -> goto claim
        :: place == HELD -> read_token(); goto lapse
        :: place == SETTLED -> read_token(); goto finish
        :: place == OPEN_TX -> read_token(); goto undo
        :: place == DECIDED_TX -> read_token(); goto carry_out
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

claim: /* all that the token stands for, or a part */
    atomic {
        if
        :: place == READY -> place = HELD; draw()
        :: else -> goto again
        fi;
        if
        :: count == 2 -> count = 1
        :: skip
        fi;
        deliver(); read_token()
    };
    if
    :: skip -> c = 0
    :: n == 1 -> c = 1
    :: skip -> goto lapse
#ifdef TX
    :: skip -> goto take
#endif
    :: skip -> goto again
    fi;

    atomic { /* this decides */
        if
        :: IS(HELD) -> place = SETTLED; cause = c; link = 0; draw();
            settled[f] = 1; done[f] = !c;
            if
            :: n == 2 -> settled[f + 1] = 1; done[f + 1] = 1
            :: else -> skip
            fi
        :: else -> goto again
        fi
    };

finish: /* a part that is dead, or the last message of a file, or all of it */
    if
    :: c && f == 0 -> goto bury_part
    :: c && f != 0 -> goto bury
    :: !c && f == 0 && n == 1 -> goto go_on
    :: else -> skip
    fi;
    here[FILE_OF(f)] = 0;
    goto go_on;

bury: /* a rename: the file, or for the last of several messages a link and an unlink of the file */
    atomic {
        if
        :: here[FILE_OF(f)] -> here[FILE_OF(f)] = 0; dead[f]++; assert(dead[f] == 1 && !retried[f])
        :: else -> skip
        fi
    };
    goto is_dead;

bury_part:
#ifdef LINK_DEAD
    atomic { /* the name tells when it died, which all know: EEXIST */
        if
        :: here[0] && !dead[f] -> dead[f] = 1; assert(!retried[f])
        :: else -> skip
        fi
    };
#else
    if
    :: l != 0 -> goto bring
    :: else -> skip
    fi;
    atomic { /* link to tmp/ */
        if
        :: !here[0] -> goto again
        :: else -> skip
        fi;
        i = 1;
        do
        :: i < 4 && LINKED(i) -> i++
        :: else -> break
        od;
        if
        :: i == 4 -> goto again /* links of the dead have used them up */
        :: else -> mylink[ME] = i; in_tmp[i] = f + 1
        fi
    };
    atomic { /* the token's next name has its mark */
        if
        :: IS(SETTLED) -> link = i; l = i; draw()
        :: else -> l = 0
        fi
    };
    if
    :: l == 0 -> in_tmp[i] = 0; goto again
    :: else -> skip
    fi;
bring: /* rename to dead/ */
    atomic {
        if
        :: in_tmp[l] -> in_tmp[l] = 0; dead[f]++; assert(dead[f] == 1 && !retried[f])
        :: else -> skip
        fi
    };
#endif

is_dead:
#ifdef HALT
    atomic {
        if
#ifdef PARK_BLIND
        :: place == SETTLED || place == READY -> place = PARKED; mark = 0; first = f; count = n
#else
        :: IS(SETTLED) -> place = PARKED; mark = 0; parking++
#endif
        :: else -> skip
        fi
    };
    goto again;
#endif

go_on:
    atomic {
        if
#ifdef BY_COUNT
        :: place == SETTLED -> i = f + n; go_on_from(i)
#else
        :: IS(SETTLED) -> i = f + n; go_on_from(i)
#endif
        :: else -> skip
        fi
    };
    goto again;

#ifdef TX
take:
    atomic {
        if
        :: IS(HELD) -> place = OPEN_TX
        :: else -> goto again
        fi
    };
    if
    :: skip -> goto again
    :: skip
    fi;
    atomic { /* commit: the messages are done */
        if
        :: IS(OPEN_TX) -> place = DECIDED_TX; settled[f] = 1; done[f] = 1;
            if
            :: n == 2 -> settled[f + 1] = 1; done[f + 1] = 1
            :: else -> skip
            fi
        :: else -> skip
        fi
    };
    goto again;
#endif

undo:
    atomic {
        if
#ifdef UNDO_LATE
        :: (place == OPEN_TX || place == DECIDED_TX) && mark == mine[ME] -> place = READY; mark = 0
#else
        :: IS(OPEN_TX) -> place = READY; mark = 0
#endif
        :: else -> skip
        fi
    };
    goto again;

carry_out: /* back to inflight/, as settled */
    atomic {
        if
#ifdef DROP_CLAIM
        :: IS(DECIDED_TX) -> place = GONE
#else
        :: IS(DECIDED_TX) -> place = SETTLED; cause = 0; link = 0; draw()
#endif
        :: else -> skip
        fi
    };
    goto again;

end:
    skip
}

#ifdef IN_PLACE
inline show_again(p)
{
    atomic {
        if
        :: place == PARKED && parking == p -> place = READY; cause = 0; link = 0; settled[0] = 0
        :: else -> skip
        fi
    };
    back[p] = 0
}

proctype in_place() provided (!frozen)
{
    byte p, tries;
    do
    :: tries < 2 ->
        tries++;
        atomic {
            place == PARKED && first == 0 && count == 1 -> p = parking
        };
        atomic { /* rename from dead/ to tmp/ */
            if
            :: dead[0] -> dead[0]--; back[p] = 1
            :: else -> goto next
            fi
        };
        show_again(p);
next:
        p = 0
    :: else -> break
    od
}

proctype sweeper() provided (!frozen)
{
    byte p, f;
    bit no_letter, no_link;
    atomic {
        place == PARKED -> p = parking; f = first
    };
#ifdef LINK_FIRST
    no_link = !(f == 0 && BACK(p));
    no_letter = !dead[f];
#else
    no_letter = !dead[f];
    no_link = !(f == 0 && BACK(p));
#endif
#ifdef SWEEP_BLIND
    no_link = 1;
#endif
    if
    :: no_letter && no_link ->
        atomic {
            if
            :: place == PARKED && parking == p -> no_link = 0; p = first + count; go_on_from(p); p = 0
            :: else -> skip
            fi
        }
    :: no_letter && !no_link -> show_again(p)
    :: else -> skip
    fi
}
#endif

/* Takes one dead letter out. Then its lane goes on. */
proctype retrier() provided (!frozen)
{
    byte m, k, i;

    atomic {
        if
        :: dead[0] -> m = 0
        :: dead[1] -> m = 1
        :: dead[2] -> m = 2
        fi;
        dead[m]--; retried[m] = 1
    };
    i = 0;
    do
    :: i < 2 ->
        atomic { /* parked */
            if
            :: place == PARKED && first == m -> k = first + count; go_on_from(k); k = 0; goto out
            :: else -> skip
            fi
        };
#ifndef NO_SETTLED
        atomic { /* or about to be */
            if
            :: place == SETTLED && cause && first == m -> cause = 0; draw(); goto out
            :: else -> i++
            fi
        }
#else
        i++
#endif
    :: i == 2 -> break
    od;
out:
    atomic { mine[ME] = 0; passed = 1; m = 0; i = 0 }
}

inline drain()
{
    do
    :: place == GONE -> break
    :: place == SETTLED ->
        if
        :: cause && link && in_tmp[link] -> dead[first]++; in_tmp[link] = 0
        :: cause && !link && first == 0 -> dead[0]++
        :: cause && first != 0 && here[FILE_OF(first)] -> dead[first]++; here[FILE_OF(first)] = 0
        :: else -> skip
        fi;
        if
        :: !(first == 0 && count == 1) -> here[FILE_OF(first)] = 0
        :: else -> skip
        fi;
        i = first + count; go_on_from(i)
    :: place == DECIDED_TX -> place = SETTLED; cause = 0
    :: place == OPEN_TX || place == HELD -> place = READY
    :: place == PARKED && first == 0 && BACK(parking) -> place = READY; cause = 0; link = 0; settled[0] = 0
    :: place == PARKED && !(first == 0 && BACK(parking)) -> assert(!passed || dead[first] || !retried[first]); i = first + count; go_on_from(i)
    :: place == READY -> assert(!settled[first] && !retried[first]); settled[first] = 1; done[first] = 1;
        if
        :: count == 2 -> settled[first + 1] = 1; done[first + 1] = 1
        :: else -> skip
        fi;
        place = SETTLED; cause = 0; link = 0
    od
}

init
{
    byte i;
    atomic {
        run worker();
#ifndef ONE_WORKER
        run worker();
#endif
        run retrier();
#ifdef IN_PLACE
        run in_place();
        run sweeper()
#endif
    };
    d_step {
        frozen = 1;
        drain();
        assert(done[0] + dead[0] + retried[0] == 1);
        assert(done[1] + dead[1] + retried[1] == 1);
        assert(done[2] + dead[2] + retried[2] == 1)
    }
}
