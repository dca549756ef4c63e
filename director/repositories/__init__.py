"""Git: the user's repository, the job repository, their objects and histories."""
