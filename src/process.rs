//! What this process may have of the system.

/// Lets as many files be open as the system allows: each connection, and each relay of TURN, is one.
pub fn raise_open_files() {
    #[cfg(unix)]
    if let Ok((_, hard)) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE) {
        // With fewer than needed, a socket that cannot be opened says so.
        let _ = nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// How many files this process may have open; `None` where the system does not tell.
pub fn open_files_allowed() -> Option<u64> {
    #[cfg(unix)]
    return nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft);
    #[cfg(not(unix))]
    None
}
