"""Where secret values come from, and where a rotation puts new ones.

`source` declares a source to read from (a dotenv file, this process's environment, or a command such as ``sops``) and
opens it; it is read when it is first asked, and once. `versions` is what a rotation does with CURRENT, PENDING and
PREVIOUS, and the port to the places that keep them: `dotenv_versions` and `secrets_manager`.

Values become `Secret`; nothing is put into ``os.environ``, and no error shows a value, a line of a file or a word of a
command's output.
"""
