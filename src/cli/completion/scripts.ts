// What a shell reads to complete command lines: each asks the program itself for the words that may come next. Pure.

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The first word of a command line that asks for completions. */
export const ASKING = '__complete';
/** Lines of an answer that stand for names of files. */
export const FILE_LINES = { files: ':files', directories: ':directories' } as const;

/**
 * Bash takes words apart at = and :, so they are read from the line again, and what bash has of the word already is taken
 * away from the answers.
 */
const BASH = `# bash completion of tortie
_tortie() {
  local line="\${COMP_LINE:0:COMP_POINT}" words=() current answer taken
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current="\${words[-1]}"
  taken="\${current%"\${current##*[=:]}"}"
  COMPREPLY=()
  while IFS=$'\\t' read -r answer _; do
    case "$answer" in
      ${FILE_LINES.files}) compopt -o filenames; mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "\${current#"$taken"}") ;;
      ${FILE_LINES.directories}) compopt -o filenames; mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "\${current#"$taken"}") ;;
      *) COMPREPLY+=("\${answer#"$taken"}"); [[ $answer == *= ]] && compopt -o nospace ;;
    esac
  done < <("\${words[0]}" ${ASKING} -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _tortie tortie`;

const ZSH = `#compdef tortie
# zsh completion of tortie
_tortie() {
  local line word
  local -a values shown
  for line in "\${(@f)$("\${words[1]}" ${ASKING} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    word="\${line%%$'\\t'*}"
    case "$word" in
      '') ;;
      ${FILE_LINES.files}) _files ;;
      ${FILE_LINES.directories}) _files -/ ;;
      *=) compadd -S '' -- "$word" ;;
      *) values+=("$word"); shown+=("\${line/$'\\t'/  -- }") ;;
    esac
  done
  (( \${#values} )) && compadd -l -d shown -a values
}
if [[ $funcstack[1] == _tortie ]]; then _tortie "$@"; else compdef _tortie tortie; fi`;

const FISH = `# fish completion of tortie
function __tortie_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  for line in ($words[1] ${ASKING} -- $words[2..-1] "$current" 2>/dev/null)
    switch $line
      case '${FILE_LINES.files}'
        __fish_complete_path "$current"
      case '${FILE_LINES.directories}'
        __fish_complete_directories "$current"
      case '*'
        echo $line
    end
  end
end
complete -c tortie -f -a '(__tortie_complete)'`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
