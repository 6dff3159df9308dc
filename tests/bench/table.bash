# Samples, and the table of their medians. Sourced by run.
# shellcheck shell=bash

row_names=()
declare -A row_unit=() row_better=() samples=()

# row NAME UNIT BETTER: of which less or more is better. Samples are in the unit.
row() {
    [[ -z ${row_unit[$1]-} ]] || return 0
    row_names+=("$1")
    row_unit[$1]=$2 row_better[$1]=$3
}

sample() { # ROW CONTESTANT VALUE
    samples["$1|$2"]+="$3 "
}

calculate() { # EXPRESSION
    awk "BEGIN { printf \"%.6g\n\", $1 }"
}

# Of what stopwatch printed on standard input: messages a second.
rate() { # COUNT
    awk -v count="$1" '{ printf "%.0f\n", count / $1 }'
}

median() { # VALUE…
    printf '%s\n' "$@" | sort -g | awk '{ value[NR] = $1 } END { print NR ? (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 : "" }'
}

# The medians, one row a line, for awk: name, unit, better, then a column for each contestant, "-" where there is none.
medians() {
    local name who
    for name in "${row_names[@]}"; do
        printf '%s\t%s\t%s' "$name" "${row_unit[$name]}" "${row_better[$name]}"
        for who in "${contestants[@]}"; do
            # shellcheck disable=SC2086 # numbers
            printf '\t%s' "$([[ -z ${samples["$name|$who"]-} ]] && echo - || median ${samples["$name|$who"]})"
        done
        printf '\n'
    done
}

print_table() {
    echo
    echo "$(uname -sr), $(nproc) processors; measured on $(file_system "$place") in $place; $(date -u +%F)"
    echo "COUNT=$COUNT ROUNDS=$ROUNDS RUNS=$RUNS DEPTHS='$DEPTHS'. The ratios are ours divided by theirs."
    echo
    medians | awk -F '\t' -v contestants="${contestants[*]}" -f "$bench/table.awk"
}
