# mq-stat --prometheus: metrics that Prometheus and its collectors read, the alerts, and the dashboard.
# shellcheck disable=SC2154 # stderr is set by run
load ../helper

setup() {
    setup_spool
    PATH=$PATH:$MQ_ROOT/build/tools
}

needs() { # PROGRAM…
    local program
    for program; do
        command -v "$program" >/dev/null || skip "$program is not to be had here"
    done
}

# A queue with something in each state, and one that is empty.
fill() {
    mq-send -q jobs dead
    mq-ack --reject "$(claim jobs)"
    mq-send -q jobs claimed
    claim jobs >receipt
    mq-send -q -d 1h jobs later
    printf '1\n2\n3\n' | mq-send -q -l jobs
    take jobs
    mq-queue create empty
}

# sample NAME{LABELS}: its value in the file `metrics`.
sample() {
    awk -v name="$1" '$1 == name { print $2 }' metrics
}

@test "the figures are those of mq-stat -j" {
    fill
    mq-stat --prometheus >metrics
    mq-stat -j jobs >figures
    local state counter
    for state in ready delayed inflight dead; do
        assert_equal "$(sample "mq_queue_messages{queue=\"jobs\",state=\"$state\"}")" "$(jq ".$state" figures)"
        assert_equal "$(sample "mq_queue_messages{queue=\"empty\",state=\"$state\"}")" 0
    done
    for counter in sent delivered redelivered acked retried failed expired duplicates; do
        assert_equal "$(sample "mq_messages_${counter}_total{queue=\"jobs\"}")" "$(jq ".$counter" figures)"
    done
    assert_equal "$(sample 'mq_messages_dead_total{queue="jobs",reason="rejected"}')" 1
    assert_equal "$(sample 'mq_messages_dead_total{queue="jobs",reason="corrupt"}')" 0
    assert_equal "$(sample 'mq_queue_bytes{queue="jobs"}')" "$(jq .bytes figures)"
    assert_equal "$(sample 'mq_message_held_seconds_bucket{queue="jobs",le="+Inf"}')" 1
    assert_equal "$(sample 'mq_message_held_seconds_count{queue="jobs"}')" 1
    assert_equal "$(sample 'mq_queue_oldest_message_age_seconds{queue="empty"}')" 0.000000
    # A histogram's buckets include those below.
    awk -F '[ ]' '/_bucket.*jobs/ { if ($2 < last) bad = 1; last = $2 } END { exit bad }' metrics
}

@test "promtool finds nothing wrong with the metrics" {
    needs promtool
    fill
    mq-stat --prometheus >metrics
    run promtool check metrics <metrics
    assert_success
    assert_output ''
    mkdir none
    MQ_SPOOL=$PWD/none mq-stat --prometheus >metrics
    run promtool check metrics <metrics
    assert_success
}

@test "the other format is strict OpenMetrics" {
    /usr/bin/python3 -c 'import prometheus_client.openmetrics.parser' 2>/dev/null ||
        skip "no parser of OpenMetrics is to be had here"
    fill
    mq-stat --prometheus=openmetrics >metrics
    run -0 /usr/bin/python3 - <<'END'
from prometheus_client.openmetrics.parser import text_string_to_metric_families
for family in text_string_to_metric_families(open("metrics").read()):
    assert family.documentation
    print(family.name, family.type, family.unit)
END
    assert_line 'mq_messages_sent counter '
    assert_line 'mq_queue_bytes gauge bytes'
    assert_line 'mq_message_held_seconds histogram seconds'
    assert_equal "$(tail -n 1 metrics)" '# EOF'
}

@test "--output replaces the file in one step, for all to read" {
    fill
    umask 022
    mkdir dir
    echo old >dir/mq.prom
    ln dir/mq.prom old
    run -0 --separate-stderr mq-stat --prometheus --output dir/mq.prom
    assert_equal "$output$stderr" ''
    grep -q '^mq_queue_messages' dir/mq.prom
    assert_equal "$(cat old)" old # another file, that was never written to
    assert_equal "$(stat -c %a dir/mq.prom)" 644
    assert_equal "$(ls -A dir)" mq.prom
    (cd dir && mq-stat --prometheus --output=here.prom --filter 'queue=jobs')
    refute grep -q empty dir/here.prom
}

@test "a file that cannot be written is told, and nothing is left of it" {
    fill
    run -66 --separate-stderr mq-stat --prometheus --output none/mq.prom
    assert_complains 'mq-stat: none/mq.prom: cannot write the metrics: '
    mkdir -p dir/mq.prom
    run --separate-stderr mq-stat --prometheus --output dir/mq.prom
    assert_failure
    assert_complains 'mq-stat: dir/mq.prom: cannot write the metrics: '
    assert_equal "$(ls -A dir)" mq.prom
}

@test "a queue that cannot be seen is told, and the others are in the file" {
    fill
    run -66 --separate-stderr mq-stat --prometheus --output mq.prom jobs missing
    assert_complains 'mq-stat: missing: '
    grep -q '{queue="jobs"' mq.prom
}

# ---- the alerts ---------------------------------------------------------------------------

@test "promtool finds nothing wrong with the alerts" {
    needs promtool
    run -0 promtool check rules "$MQ_ROOT/share/mq-alerts.yml"
    assert_output --partial '8 rules found'
}

@test "each alert fires, and does not when all is well" {
    needs promtool
    run -0 promtool test rules "$MQ_ROOT/tests/programs/alerts.yml"
    # None was forgotten.
    local alert
    for alert in $(sed -n 's/.*alert: //p' "$MQ_ROOT/share/mq-alerts.yml"); do
        grep -A 2 "alertname: $alert" "$MQ_ROOT/tests/programs/alerts.yml" | grep -q exp_alerts
    done
}

# The metrics that a file names.
metrics_in() {
    grep -o '\bmq_[a-z_]*' "$1" | sort -u
}

@test "alerts and dashboard use only metrics that there are" {
    fill
    mq-topic create events
    mq-log create visits
    mq-queue create visits/group
    mq-stat --prometheus | sed -n 's/^\(mq_[a-z_]*\).*/\1/p' | sort -u >exported
    local file
    for file in mq-alerts.yml mq-dashboard.json; do
        run comm -13 exported <(metrics_in "$MQ_ROOT/share/$file")
        assert_output ''
    done
    # And the dashboard shows all but four counters that its other panels imply.
    run comm -23 exported <(metrics_in "$MQ_ROOT/share/mq-dashboard.json")
    assert_output $'mq_consumer_missed_total\nmq_message_held_seconds_count\nmq_messages_delivered_total\nmq_messages_retried_total\nmq_transactions'
}

@test "the dashboard is JSON, and its queries are PromQL" {
    needs promtool
    jq -e '.panels | length > 10 and all(.[]; .title and .description and (.targets | length > 0))' \
        "$MQ_ROOT/share/mq-dashboard.json"
    {
        printf 'groups:\n- name: dashboard\n  rules:\n'
        jq -r '.panels[].targets[].expr' "$MQ_ROOT/share/mq-dashboard.json" |
            sed 's/\$__rate_interval/1m/g; s/\$[a-z]*/x/g' | awk '{ gsub(/\047/, "\047\047"); printf "  - {record: \"dashboard:%d\", expr: \047%s\047}\n", NR, $0 }'
    } >rules.yml
    run -0 promtool check rules rules.yml
    assert_output --partial "$(jq '[.panels[].targets[]] | length' "$MQ_ROOT/share/mq-dashboard.json") rules found"
}

# ---- a real scrape ------------------------------------------------------------------------

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

get() { # URL
    python3 -c 'import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())' "$1"
}

# The samples of the depth that Prometheus has, as TIME VALUE lines, the newest last.
depths() {
    get "http://127.0.0.1:$port/api/v1/query?query=mq_queue_messages%7Bqueue=%22jobs%22,state=%22ready%22%7D%5B5m%5D" |
        jq -r '.data.result[0].values[]? | "\(.[0]) \(.[1])"'
}

# The first sample behind a moment; fails while there is none.
first_depth_after() { # SECONDS
    depths | awk -v after="$1" '$1 > after { print $2; found = 1; exit } END { exit !found }'
}

@test "Prometheus shows the depth within one scrape of node_exporter" {
    needs prometheus prometheus-node-exporter
    local exporter port
    exporter=$(free_port) port=$(free_port)
    mkdir textfile
    seq 3 | mq-send -q -l jobs
    mq-stat --prometheus --output textfile/mq.prom
    spawn exporter prometheus-node-exporter --collector.disable-defaults --collector.textfile \
        --collector.textfile.directory=textfile --web.listen-address="127.0.0.1:$exporter"
    cat >prometheus.yml <<END
global: {scrape_interval: 1s}
scrape_configs: [{job_name: node, static_configs: [{targets: ['127.0.0.1:$exporter']}]}]
rule_files: ['$MQ_ROOT/share/mq-alerts.yml']
END
    spawn prometheus prometheus --config.file=prometheus.yml --storage.tsdb.path=data \
        --web.listen-address="127.0.0.1:$port" --log.level=error
    wait_until 30 first_depth_after 0
    assert_equal "$(first_depth_after 0)" 3
    seq 40 | mq-send -q -l jobs
    mq-stat --prometheus --output textfile/mq.prom
    local written=$EPOCHREALTIME
    wait_until 10 first_depth_after "$written"
    assert_equal "$(first_depth_after "$written")" 43
    # The collector found nothing to complain of.
    get "http://127.0.0.1:$exporter/metrics" | grep -x 'node_textfile_scrape_error 0'
    get "http://127.0.0.1:$exporter/metrics" | grep -x '# TYPE mq_messages_sent_total counter'
}

@test "topics and transactions are metrics" {
    mq-topic create events
    mq-topic bind events jobs
    mq-topic bind events mail
    mq-send -q events hello
    mq-tx begin
    mq-stat --prometheus >metrics
    assert_equal "$(sample 'mq_topic_bindings{topic="events"}')" 2
    assert_equal "$(sample 'mq_topic_published_total{topic="events"}')" 1
    assert_equal "$(sample 'mq_topic_routed_total{topic="events"}')" 2
    assert_equal "$(sample 'mq_topic_unroutable_total{topic="events"}')" 0
    assert_equal "$(sample 'mq_topic_duplicates_total{topic="events"}')" 0
    assert_equal "$(sample 'mq_transactions{state="open"}')" 1
    assert_equal "$(sample 'mq_transactions{state="unfinished"}')" 0
    run -0 mq-stat --prometheus jobs
    refute_output --partial topic
    ! command -v promtool >/dev/null || promtool check metrics <metrics
}
