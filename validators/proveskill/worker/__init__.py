"""What runs inside the processes that execute fences; the pytest process never imports it."""
