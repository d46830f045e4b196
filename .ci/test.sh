#!/bin/sh
# Runs the stages of `make check`, of `make test` ("all") or of `make test-long` ("long"): every stage runs, also after a
# red one; a table ends it.
cd "$(dirname "$0")/.." || exit 1
bin=.venv/bin
kind=${1:-check}
work=$(mktemp -d)
quick=$work # where tests keep their files: memory, where there is enough of it and programs may run from it
room_kb() { awk '/^MemAvailable/ {print $2}' /proc/meminfo 2>/dev/null; df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 {print $4}'; }
if [ "$(room_kb | awk '$1 > 6291456' | wc -l)" -eq 2 ] && memory=$(mktemp -d /dev/shm/kahn-test.XXXXXX); then
    printf '#!/bin/sh\n' > "$memory/program" && chmod +x "$memory/program"
    if "$memory/program" 2>/dev/null; then quick=$memory; else rm -rf "$memory"; fi
fi
account=pgserver # the PostgreSQL of the tests runs under this account when root starts it
known=$(id -u $account 2>/dev/null)
asides=
tidy_up() {
    for pid in $asides; do kill -INT "$pid" 2>/dev/null && wait "$pid"; done
    rm -rf "$work" "$quick"
    if [ "$(id -u)" -eq 0 ] && [ -z "$known" ] && id -u $account >/dev/null 2>&1; then
        userdel $account && echo "The account $account, made for the tests' PostgreSQL, is removed again."
    fi
}
trap tidy_up EXIT
trap 'echo "Interrupted."; exit 130' INT TERM
KAHN_NOT_RUN="$work/not-run"
export KAHN_NOT_RUN
: > "$work/table"
red=0

stage() {  # stage NAME COMMAND...
    name=$1
    shift
    began=$(date +%s)
    printf '\n== %s\n' "$name"
    ( "$@" < /dev/null; code=$?; times > "$work/times"; exit $code )
    note "$name" $? "$began" "$(cpu)"
}

cpu() {  # seconds of CPU by what `times` said last, of children that ended; what became nobody's child is not in it
    awk 'NR == 2 {split($1 "m" $2, part, "m"); printf "%d", part[1] * 60 + part[2] + part[3] * 60 + part[4]}' "$work/times"
}

note() {  # note NAME EXIT-CODE BEGAN CPU: one line of the table
    code=$2
    took=$(($(date +%s) - $3))
    [ "$code" -eq 5 ] && [ "${none_is_fine:-no}" = yes ] && code=0
    if [ "$code" -eq 0 ]; then word=ok; else word="FAILED ($code)"; red=1; fi
    printf '  %-44s %5d s %8s  %s\n' "$1" "$took" "$4" "$word" >> "$work/table"
}

begin_aside() {  # begin_aside WORD COMMAND...: runs beside the stages that follow; end_aside shows what it said
    said="$work/aside-$1"
    shift
    date +%s > "$said.began"
    "$@" < /dev/null > "$said" 2>&1 &
    echo $! > "$said.pid"
    asides="$asides $!"
}

end_aside() {  # end_aside WORD NAME
    said="$work/aside-$1"
    aside=$(cat "$said.pid")
    printf '\n== %s (began %d s ago)\n' "$2" $(($(date +%s) - $(cat "$said.began")))
    tail -n +1 -f --pid="$aside" "$said"
    wait "$aside"
    note "$2" $? "$(cat "$said.began")" beside
}

claim= # `nice` for what runs beside something that should come first
types() {
    $claim $bin/mypy
    of_sources=$?
    echo "The build's own scripts:"
    $claim $bin/mypy --strict .ci/packages.py .ci/pages.py .ci/catalogue.py .ci/long_proofs.py && return $of_sources
}

playbooks() {  # as strict as ansible-lint gets; Kahn's own modules are no collection, so they are named to it
    ANSIBLE_HOME=$work/ansible ANSIBLE_LIBRARY=$PWD/playbooks/library ANSIBLE_MODULE_UTILS=$PWD/playbooks/module_utils PATH=$PWD/$bin:$PATH \
        $claim $bin/ansible-lint --nocolor -q playbooks && echo "ansible-lint, profile production: nothing to say"
}

types_and_playbooks() {
    claim=nice
    types
    of_types=$?
    playbooks && return $of_types
}

of_the_lab() { grep -rlE '\bmark\.lab\b' tests --include='test_*.py' | sort; }

cores=$(nproc 2>/dev/null || echo 2)
[ "$cores" -gt 4 ] && cores=4

if [ "$kind" != long ]; then
    stage "format" $bin/ruff format --check --quiet --diff .
    stage "lint" $bin/ruff check --quiet .
    stage "import contracts" $bin/lint-imports --no-logo
    if [ "$kind" = check ]; then begin_aside types types; fi
fi
if [ "$kind" != check ] && [ "$(id -u)" -eq 0 ] && [ -z "$known" ]; then
    printf '\nThe tests with PostgreSQL will make the account %s; it is removed at the end.\n' $account
fi
# Each worker begins with half of the files in a row: what a file or the files beside it share is made once and not twice.
if [ "$kind" = check ]; then
    stage "unit, property and house tests" $bin/python -m pytest -q -n "$cores" --dist worksteal --basetemp "$quick/unit" -m "not lab and not ansible and not postgres and not mariadb and not long"
    end_aside types "types"
elif [ "$kind" = long ]; then
    # shellcheck disable=SC2086
    stage "long proofs" $bin/python .ci/long_proofs.py ${PARTS:-}
    [ -n "${PARTS:-}" ] || stage "simulation: 2,000 waves full of faults" $bin/python -m tests.simulation --seeds 2000 --sample 4
else
    none_is_fine=yes
    # Each worker has labs of its own; most of the time they wait for machines that are off or cut off, so all else runs
    # beside it with less of a claim. The files that take longest begin first (tests/conftest.py); only files that speak
    # of the lab are read.
    # shellcheck disable=SC2046
    begin_aside lab $bin/python -m pytest -v -n 3 --dist loadfile --no-loadscope-reorder -m "lab and not long" $(of_the_lab)
    begin_aside types types_and_playbooks
    stage "unit, property, house and ansible" nice env KAHN_LABS_BESIDE=1 $bin/python -m pytest -q -n "$cores" --dist worksteal --basetemp "$quick/unit" -m "not lab and not postgres and not mariadb and not long"
    end_aside types "types, playbooks"
    # One process: two would make the server's account at the same moment, and each start a server of its own.
    stage "PostgreSQL and MariaDB" nice $bin/python -m pytest -q --basetemp "$quick/postgres" -m "(postgres or mariadb) and not lab and not long"
    stage "deaths at every durable boundary" nice env TMPDIR="$quick" $bin/python -m tests.faults.crash
    # Last, because it takes every core that nobody else needs.
    stage "simulation: 800 waves full of faults" nice $bin/python -m tests.simulation --seeds 800
    end_aside lab "real hosts (lab)"
fi

times > "$work/times"
printf '\n== Stages\n  %-44s %7s %8s\n' "" "clock" "CPU"
cat "$work/table"
printf 'All together: %d s of CPU\n' "$(cpu)"
if [ -s "$KAHN_NOT_RUN" ]; then
    printf '\n== Not exercised on this machine\n'
    cat "$KAHN_NOT_RUN"
elif [ "$kind" != check ] && [ "$red" -eq 0 ] && [ -z "${PARTS:-}" ]; then
    printf '\nEvery test of `make %s` ran; none was left out.\n' "$([ "$kind" = long ] && echo test-long || echo test)"
fi
if [ "$kind" != long ]; then
    printf '\nNot part of this: the long proofs (marker long). `make test-long` runs them:\n'
    grep -rlE '\bmark\.long\b' tests --include='test_*.py' | sort | sed 's/^/    /'
fi
exit $red
