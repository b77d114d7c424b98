"""HTTP requests with a total time limit, a size limit, and errors that say what came instead of the answer."""
