"""What runs the application, as checks ask it: one port, and a package per platform that answers it."""
