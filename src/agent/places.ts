// Where the agent's files are unless it is told otherwise. Nothing else: commands read this on every start.
export const DEFAULT_SOCKET = '/run/tortie/agent.sock';
export const DEFAULT_MANIFESTS = '/etc/tortie/manifests';
export const DEFAULT_STATE_DIRECTORY = '/var/lib/tortie';
