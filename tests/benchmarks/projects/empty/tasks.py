"""An Invoke project without a task: what starting Invoke costs."""
