/*
 * The outbox: several moves that happen all or not at all.
 *
 * Models the steps of mq-spool(5), "Transactions": an owner links two outputs into the directory of an open
 * transaction, takes a claim into it, and decides by renaming the directory; a helper renames one that is past its
 * deadline to .aborted instead; whoever finds a decided one carries it out or undoes it, together with others, and
 * removes the directory. Another process links a third output through a descriptor, as late as it likes. The
 * transaction may be extended once, which renames its directory. Meanwhile the places of the outputs go (a bucket is
 * removed, a queue is held or deleted), the claim lapses, and the deadline passes, at any time.
 *
 * Each file-system call is one step. A listing shows what was there all the time and may miss what is renamed while
 * it is read. Being stopped is being passed over by the scheduler; being killed is that for good, so both may happen
 * anywhere. At any moment all processes may be killed at once: one survivor then has to finish.
 *
 * Checked: an output is delivered at most once, and only if the transaction was committed; the claim is in one
 * place, acked only by a commit, and nothing is committed without it; what the owner reports is true; and in the end
 * all outputs that were linked are where they belong, or none is anywhere, and nothing is left.
 *
 * Abstracted: positions and names (a fresh one each try); several helpers are one helper and the survivor; WITHOUT_CLAIM
 * leaves out the claim, WITHOUT_LATE the late output, for smaller models.
 *
 * Mutations: ENOENT_IS_DONE (a failed rename is taken for somebody else's), DROP (an output without a place is
 * removed), LIST_ONCE (what is left after one listing is removed), UNDECIDED (a helper undoes a transaction without
 * renaming it first), TAKE_ANYWAY (a claim that cannot be taken is no reason to abandon), ONE_LOOK (one listing tells
 * what has become of the transaction), COMMIT_ANYWAY (a failed commit is taken for done), UNDO_LATE (the late process
 * removes its output where it finds the transaction decided).
 */
mtype = { NONE, OPEN, COMMITTED, ABORTED };
mtype = { HELD, TAKEN, READY, DONE };
mtype = { SILENT, SUCCESS, FAILURE };

#define OUTPUTS 3 /* the last one is the late one */
#define LATE 2
#ifndef REMOVALS
#define REMOVALS 1
#endif

mtype transaction = OPEN;
mtype claim = HELD;
mtype answer = SILENT;
bit name;    /* of the open directory: how often it was extended */
bit inside[OUTPUTS];
byte placed[OUTPUTS];
bit place[OUTPUTS];
bit was_committed, late_linked;
byte renames, removals;
bit frozen;

#ifdef WITHOUT_CLAIM
#define NEEDS_CLAIM false
#else
#define NEEDS_CLAIM true
#endif
#ifdef ONE_LOOK
#define LOOKS 1
#else
#define LOOKS 3
#endif

#define IS_EMPTY (!inside[0] && !inside[1] && !inside[LATE] && claim != TAKEN)

inline check()
{
    assert(placed[0] <= 1 && placed[1] <= 1 && placed[LATE] <= 1);
    assert(was_committed || placed[0] + placed[1] + placed[LATE] == 0);
    assert(claim != DONE || was_committed);
    assert(!was_committed || !NEEDS_CLAIM || claim == TAKEN || claim == DONE);
    assert(answer != SUCCESS || was_committed);
    assert(answer != FAILURE || !was_committed)
}

/* ---- carrying out and undoing: by anybody, together, at any time --------------------------- */

inline deliver(i)
{
    do
    :: atomic {
           if
           :: inside[i] && place[i] -> inside[i] = 0; placed[i]++; check(); break
           :: else -> skip /* ENOENT */
           fi
       };
#ifdef ENOENT_IS_DONE
       break
#else
       atomic { /* is it the output that has gone, or its place? */
           if
           :: !inside[i] -> break
           :: else -> skip
           fi
       };
#ifdef DROP
       atomic { inside[i] = 0; break }
#else
       place[i] = 1
#endif
#endif
    od
}

inline remove_directory(done)
{
    atomic { /* the kernel says whether it is empty */
        if
        :: transaction == NONE -> done = 1
        :: transaction != NONE && IS_EMPTY -> transaction = NONE; done = 1
        :: else -> skip
        fi
    }
}

inline carry_out(i, listed, done)
{
    done = 0;
    do
    :: done -> break
    :: else ->
        atomic { listed = inside[0] | inside[1] << 1 | inside[LATE] << 2; i = 0 };
        do
        :: i < OUTPUTS ->
            if
            :: listed >> i & 1 -> deliver(i)
            :: else -> skip
            fi;
            i++
        :: else -> break
        od;
        atomic {
            if
            :: claim == TAKEN -> claim = DONE; check()
            :: else -> skip
            fi
        };
#ifdef LIST_ONCE
        atomic { inside[0] = 0; inside[1] = 0; inside[LATE] = 0 };
#endif
        atomic {
            listed = 0; i = 0;
            if
            :: frozen -> rounds++; assert(rounds < 5)
            :: else -> skip
            fi
        };
        remove_directory(done)
    od
}

inline undo(i, done)
{
    done = 0;
    do
    :: done -> break
    :: else ->
        i = 0;
        do
        :: i < OUTPUTS -> inside[i] = 0; i++
        :: else -> i = 0; break
        od;
        atomic {
            if
            :: claim == TAKEN -> claim = READY; check()
            :: else -> skip
            fi
        };
        remove_directory(done)
    od
}

/* ---- looking for a transaction that does not have its name any more ------------------------ */

inline look(found, known, tries, seen)
{
    found = NONE; tries = 0;
    do
    :: found == NONE && tries < LOOKS ->
        seen = renames;
        atomic {
            if
            :: transaction == NONE -> skip
            :: transaction != NONE -> found = transaction; known = name
            :: transaction != NONE && seen != renames -> skip /* missed */
            fi;
            seen = 0;
            tries++
        }
    :: else -> tries = 0; break
    od
}

/* ---- the owner ------------------------------------------------------------------------------ */

proctype owner() provided (!frozen)
{
    bit known, done;
    byte i, tries, seen, listed, rounds;
    mtype found;

    i = 0;
    do
    :: i < LATE ->
        if
        :: atomic { transaction != NONE -> inside[i] = 1; check(); i++ }                   /* through a descriptor */
        :: atomic { transaction == OPEN && known == name -> inside[i] = 1; check(); i++ }  /* by its name */
        :: atomic { transaction != OPEN || known != name -> skip };
           look(found, known, tries, seen);
           if
           :: found == OPEN -> skip
           :: else -> goto failed
           fi
        fi
    :: else -> i = 0; break
    od;

    do
    :: !NEEDS_CLAIM -> break
    :: else ->
        atomic {
            if
            :: claim == HELD && transaction == OPEN && known == name -> claim = TAKEN; check(); break
            :: else -> skip
            fi
        };
#ifdef TAKE_ANYWAY
        break;
#endif
        look(found, known, tries, seen);
        atomic {
            if
            :: found == OPEN && claim == HELD -> skip
            :: found == OPEN && claim != HELD -> goto abandon
            :: found != OPEN && claim == HELD -> claim = READY; goto failed /* still ours: given back */
            :: else -> goto failed
            fi
        }
    od;

    do
    :: atomic {
           if
           :: transaction == OPEN && known == name ->
               transaction = COMMITTED; was_committed = 1; renames++; check(); goto committed
           :: else -> skip
           fi
       };
#ifdef COMMIT_ANYWAY
       goto committed;
#endif
       look(found, known, tries, seen);
       if
       :: found == OPEN -> skip
       :: else -> goto failed /* only the owner commits: so it was aborted, and may be undone altogether */
       fi
    od;

committed:
    atomic { answer = SUCCESS; check() };
    carry_out(i, listed, done);
    goto end;

abandon:
    do
    :: atomic {
           if
           :: transaction == OPEN && known == name -> transaction = ABORTED; renames++; break
           :: else -> skip
           fi
       };
       look(found, known, tries, seen);
       if
       :: found == OPEN -> skip
       :: else -> goto failed
       fi
    od;
    undo(i, done);
failed:
    atomic { answer = FAILURE; check(); assert(transaction != OPEN) }; /* not in vain */
end:
    skip
}

/* ---- others ---------------------------------------------------------------------------------- */

#ifndef WITHOUT_LATE
proctype late() provided (!frozen)
{
    if
    :: atomic { transaction != NONE -> inside[LATE] = 1; late_linked = 1; check() }
    :: atomic { transaction == NONE -> skip }
    fi;
#ifdef UNDO_LATE
    if
    :: transaction == COMMITTED || transaction == ABORTED -> inside[LATE] = 0
    :: else -> skip
    fi
#endif
}
#endif

proctype helper() provided (!frozen)
{
    bit known, done;
    byte i, listed, rounds;

    if
    :: transaction == COMMITTED -> carry_out(i, listed, done)
    :: transaction == ABORTED -> undo(i, done)
    :: atomic { transaction == OPEN -> known = name }; /* listed, and its deadline has passed */
#ifndef UNDECIDED
       atomic {
           if
           :: transaction == OPEN && known == name -> transaction = ABORTED; renames++
           :: else -> goto end
           fi
       };
#endif
       undo(i, done)
    fi;
end:
    skip
}

proctype world() provided (!frozen)
{
    do
    :: atomic { transaction == OPEN && name == 0 -> name = 1; renames++ } /* extended */
    :: atomic { NEEDS_CLAIM && claim == HELD -> claim = READY; check() }  /* lapsed */
    :: atomic { removals < REMOVALS && place[0] -> place[0] = 0; removals++ }
    :: atomic { removals < REMOVALS && place[1] -> place[1] = 0; removals++ }
    :: break
    od
}

/* All others are dead: the deadline passes, and what is decided is finished. */
proctype survivor()
{
    bit done;
    byte i, listed, rounds;

    atomic {
        frozen = 1;
        if
        :: transaction == OPEN -> transaction = ABORTED
        :: else -> skip
        fi;
        if
        :: transaction == COMMITTED -> carry_out(i, listed, done)
        :: transaction == ABORTED -> undo(i, done)
        :: transaction == NONE -> skip
        fi;
        assert(transaction == NONE && IS_EMPTY);
        assert(!was_committed || (placed[0] == 1 && placed[1] == 1));
        assert(!late_linked || placed[LATE] == was_committed);
        assert(!was_committed || !NEEDS_CLAIM || claim == DONE)
    }
}

init
{
    atomic {
        place[0] = 1; place[1] = 1; place[LATE] = 1;
        run owner();
        run helper();
        run world();
#ifndef WITHOUT_LATE
        run late();
#endif
        run survivor()
    }
}
