"""Where secret values come from: a dotenv file, this process's environment, or a command such as ``sops``.

`source` declares a source and opens it; the other files are one kind of source each. A source is read when it
is first asked, and once. Its values become `Secret`; nothing is put into ``os.environ``, and no error shows a
value, a line of the file or a word of the command's output.
"""
