-- A welcome goes with its commit, or when all have fetched it; nobody looks for those that are old by themselves.

drop index e2ee_commits_with_welcome;
