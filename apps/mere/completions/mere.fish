# Completion of mere(1) for fish.

set -l subcommands convert export audit info ls get verify diff cache share bench

function __mere_uses
    __fish_seen_subcommand_from $argv
end

complete -c mere -n "not __fish_seen_subcommand_from $subcommands" -f
complete -c mere -n "not __fish_seen_subcommand_from $subcommands" -l version -d 'Print the version'
complete -c mere -n "not __fish_seen_subcommand_from $subcommands" -a convert -d 'Make a .mere file of another'
complete -c mere -n "not __fish_seen_subcommand_from $subcommands" -a export -d 'Write a file of another library'
complete -c mere -n "not __fish_seen_subcommand_from $subcommands" -a info -d 'Print what a file is'
complete -c mere -n "not __fish_seen_subcommand_from $subcommands" -a ls -d 'Show the graph, the arrays or the file'
complete -c mere -n "not __fish_seen_subcommand_from $subcommands" -a get -d 'Print one node'
complete -c mere -n "not __fish_seen_subcommand_from $subcommands" -a verify -d 'Check every sum and every record'
complete -c mere -n "not __fish_seen_subcommand_from $subcommands" -a diff -d 'Tell what differs'
complete -c mere -n "not __fish_seen_subcommand_from $subcommands" -a cache -d 'List or clear expanded copies'
complete -c mere -n "not __fish_seen_subcommand_from $subcommands" -a share -d 'Measure the memory of several processes'
complete -c mere -n "not __fish_seen_subcommand_from $subcommands" -a bench -d 'Measure opening and reading'

complete -c mere -l json -d 'Print the result as JSON'
complete -c mere -s q -l quiet -d 'No messages and no progress'
complete -c mere -s v -l verbose -d 'More messages'
complete -c mere -s h -l help -d 'Print a summary'

complete -c mere -n "not __fish_seen_subcommand_from $subcommands" -a audit -d 'Tell every name in a file, and who vouches for it'
complete -c mere -n '__mere_uses audit' -l trust -x -d 'Vouch for this full name'
complete -c mere -n '__mere_uses audit' -l trust-file -r -d 'Vouch for the names in this file'
complete -c mere -n '__mere_uses audit' -l limit-expanded-bytes -x -d 'Most bytes to expand to'
complete -c mere -n '__mere_uses audit' -l limit-memory-bytes -x -d 'Most memory to use'
complete -c mere -n '__mere_uses convert' -l codec -x -a 'none lz4 lz4hc zlib zstd smallest' -d 'How arrays are compressed'
complete -c mere -n '__mere_uses convert' -l level -x -d 'Level of the codec'
complete -c mere -n '__mere_uses convert' -l no-filters -d 'Compress arrays as they are'
complete -c mere -n '__mere_uses convert' -l align -x -d 'Alignment of large arrays'
complete -c mere -n '__mere_uses convert' -l trust -x -d 'Admit this full name as data'
complete -c mere -n '__mere_uses convert' -l trust-file -r -d 'Admit the names in this file'
complete -c mere -n '__mere_uses convert' -l no-source-digest -d 'Do not take the SHA-256 of the source'
complete -c mere -n '__mere_uses convert' -l training-data -x -d 'Which data the model was fitted to'
complete -c mere -n '__mere_uses convert' -l source-code -r -d 'The program that fitted the model'
complete -c mere -n '__mere_uses convert' -l cv-score -x -d 'METRIC:MEAN:STD[:N_SPLITS]'
complete -c mere -n '__mere_uses convert export audit' -l limit-expand-ratio -x -d 'Times its size a file may expand to'
complete -c mere -n '__mere_uses convert export audit' -l limit-decoder-bytes -x -d 'Most memory for xz and lzma'
complete -c mere -n '__mere_uses convert' -l metadata -x -d 'Add KEY=VALUE to the metadata'
complete -c mere -n '__mere_uses convert' -l durability -x -a 'full none' -d 'Whether to wait for the disk'

complete -c mere -n '__mere_uses export' -l to -x -a 'joblib pickle skops safetensors npz npy' -d 'The format'
complete -c mere -n '__mere_uses export' -l compress -x -a 'none zlib gzip lz4 xz bz2' -d 'Compress the file or its members'
complete -c mere -n '__mere_uses export' -l level -x -d 'Level of the compression'
complete -c mere -n '__mere_uses export' -l protocol -x -a '2 3 4 5' -d 'Protocol of pickles'
complete -c mere -n '__mere_uses export' -l numpy2-names -d 'numpy._core in pickles'
complete -c mere -n '__mere_uses export' -l path -x -d 'The node to write'
complete -c mere -n '__mere_uses export' -l trust -x -d 'Admit this full name'
complete -c mere -n '__mere_uses export' -l trust-file -r -d 'Admit the names in this file'
complete -c mere -n '__mere_uses export' -l durability -x -a 'full none' -d 'Whether to wait for the disk'
complete -c mere -n '__mere_uses export' -l limit-expanded-bytes -x -d 'Most bytes to expand to'
complete -c mere -n '__mere_uses export' -l limit-memory-bytes -x -d 'Most memory to use'

complete -c mere -n '__mere_uses info' -l sha256 -d 'Also the SHA-256 of the file'
complete -c mere -n '__mere_uses verify' -l sha256 -x -d 'Compare the SHA-256'

complete -c mere -n '__mere_uses ls' -l arrays -d 'Only the arrays, as a table'
complete -c mere -n '__mere_uses ls' -l map -d 'The segments of the file'
complete -c mere -n '__mere_uses ls' -l depth -x -d 'How deep to go'
complete -c mere -n '__mere_uses ls' -l all -d 'Show long lists in full'

complete -c mere -n '__mere_uses get' -s o -l output -r -d 'Write to this file'
complete -c mere -n '__mere_uses diff' -l ignore-sharing -d 'Equal objects are the same'
complete -c mere -n '__mere_uses diff' -l limit -x -d 'How many differences to describe'
complete -c mere -n '__mere_uses cache' -f -a 'list clear'
complete -c mere -n '__mere_uses share' -l workers -x -d 'How many processes'
complete -c mere -n '__mere_uses bench' -l repetitions -x -d 'How often to open'

complete -c mere -n '__mere_uses info ls get diff share bench' -l verify -x -a 'none manifest all' -d 'What to check when opening'
complete -c mere -n '__mere_uses info ls get diff share bench' -l copy-on-write -d 'Private writable pages'
complete -c mere -n '__mere_uses info ls get verify diff share bench' -l populate -d 'Read all pages in when opening'
complete -c mere -n '__mere_uses info ls get verify diff share bench' -l huge-pages -d 'Ask for huge pages'
complete -c mere -n '__mere_uses share bench' -l expand -x -a 'shared in_memory lazy' -d 'What becomes of compressed arrays'
complete -c mere -n '__mere_uses info ls get verify share bench' -l content-id -x -d 'The content id the file should have'
complete -c mere -n '__mere_uses convert info ls get verify diff share bench' -l threads -x -d 'How many threads'
complete -c mere -n '__mere_uses convert info ls get verify diff share bench' -l limit-expanded-bytes -x -d 'Most bytes to expand to'
complete -c mere -n '__mere_uses convert info ls get verify diff share bench' -l limit-memory-bytes -x -d 'Most memory to use'
