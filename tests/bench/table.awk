# The table: name, unit and better, then the floor, ours and the peers; with the ratios of ours to the floor and to the
# best of the peers.

function figure(value) {
    if (value == "-")
        return "-"
    return sprintf(value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : value >= 0.01 || value == 0 ? "%.2f" : "%.4f", value)
}

function ratio(ours, theirs) {
    return ours == "-" || theirs == "-" || theirs == 0 ? "-" : sprintf("%.2f", ours / theirs)
}

BEGIN {
    count = split(contestants, name, " ")
    printf "%-36s %-5s %-6s %8s %8s %7s %8s %-10s", "", "", "better", "mq", "floor", "ratio", "ratio", "best peer"
    for (i = 3; i <= count; i++)
        printf " %10s", name[i]
    printf "\n"
}

{
    best = 0
    for (i = 3; i <= count; i++)
        if ($(i + 3) != "-" && (!best || ($3 == "more" ? $(i + 3) > $(best + 3) : $(i + 3) < $(best + 3))))
            best = i
    printf "%-36s %-5s %-6s %8s %8s %7s", $1, $2, $3, figure($5), figure($4), ratio($5, $4)
    printf " %8s %-10s", best ? ratio($5, $(best + 3)) : "-", best ? name[best] : "-"
    for (i = 3; i <= count; i++)
        printf " %10s", figure($(i + 3))
    printf "\n"
}
