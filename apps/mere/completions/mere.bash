# Completion of mere(1) for bash.

_mere() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local subcommands="convert export audit info ls get verify diff predict check cache share bench"
    local manners="--json -q --quiet -v --verbose -h --help"
    local limits="--limit-expanded-bytes --limit-memory-bytes"
    local open="--verify --copy-on-write --populate --huge-pages --threads $limits"
    # Readline splits words at "=" too: the option stands before it.
    if [[ $current == "=" ]]; then current=; fi
    if [[ $previous == "=" ]]; then previous=${COMP_WORDS[COMP_CWORD - 2]}; fi

    local subcommand= i
    for ((i = 1; i < COMP_CWORD; ++i)); do
        if [[ " $subcommands " == *" ${COMP_WORDS[i]} "* ]]; then
            subcommand=${COMP_WORDS[i]}
            break
        fi
    done
    if [[ -z $subcommand ]]; then
        COMPREPLY=($(compgen -W "$subcommands $manners --version" -- "$current"))
        return
    fi

    case $previous in
        --to) COMPREPLY=($(compgen -W "joblib pickle skops safetensors npz npy" -- "$current")); return ;;
        --compress) COMPREPLY=($(compgen -W "none zlib gzip lz4 xz bz2" -- "$current")); return ;;
        --protocol) COMPREPLY=($(compgen -W "2 3 4 5" -- "$current")); return ;;
        --codec) COMPREPLY=($(compgen -W "none lz4 lz4hc zlib zstd smallest" -- "$current")); return ;;
        --program) COMPREPLY=($(compgen -W "auto with only none" -- "$current")); return ;;
        --method) COMPREPLY=($(compgen -W "predict predict_proba predict_log_proba decision_function transform score_samples apply" -- "$current")); return ;;
        --durability) COMPREPLY=($(compgen -W "full none" -- "$current")); return ;;
        --verify) COMPREPLY=($(compgen -W "none manifest all" -- "$current")); return ;;
        --expand) COMPREPLY=($(compgen -W "shared in_memory lazy" -- "$current")); return ;;
        --level | --align | --path | --trust | --alias | --metadata | --depth | --workers | --repetitions | --rows | --tolerance | --jobs | -j | --limit | --threads | --sha256 | --content-id | \
            --limit-expanded-bytes | --limit-memory-bytes | --limit-expand-ratio | --limit-decoder-bytes | --training-data | --cv-score)
            # verify takes --sha256 with a value, info without.
            if [[ $previous != --sha256 || $subcommand == verify ]]; then return; fi ;;
    esac

    local options
    case $subcommand in
        convert) options="--codec --level --no-filters --align --trust --trust-file --alias --no-source-digest --training-data --source-code --cv-score --metadata --program --durability --threads $limits --limit-expand-ratio --limit-decoder-bytes" ;;
        export) options="--to --compress --level --protocol --numpy2-names --path --trust --trust-file --durability $limits --limit-expand-ratio --limit-decoder-bytes" ;;
        audit) options="--trust --trust-file $limits --limit-expand-ratio --limit-decoder-bytes" ;;
        info) options="--sha256 --requirements --content-id $open" ;;
        ls) options="--arrays --map --depth --all --content-id $open" ;;
        get) options="-o --output --content-id $open" ;;
        verify) options="--sha256 --content-id --populate --huge-pages --threads $limits" ;;
        diff) options="--ignore-sharing --limit $open" ;;
        predict) options="--method -o --output --csv -j --jobs --expand --content-id $open" ;;
        check) options="--tolerance -j --jobs --expand --content-id $open" ;;
        cache) options="list clear" ;;
        share) options="--workers --predict --expand --content-id $open" ;;
        bench) options="--repetitions --rows --expand --content-id $open" ;;
    esac
    if [[ $current == -* || $subcommand == cache ]]; then
        COMPREPLY=($(compgen -W "$options $manners" -- "$current"))
    else
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}
complete -F _mere mere
