//! How memory is taken from the system.

/// Takes memory in pages of the usual size. With huge ones, which the allocator asks for, a batch that needs little of a page
/// takes two megabytes: measured, half as much memory again, and no time won.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub fn of_usual_size() {
    // SAFETY: sets a flag of this process and takes no pointers. Where it is not known, nothing changes.
    let _ = unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
}

/// Other systems decide by themselves.
#[cfg(not(target_os = "linux"))]
pub fn of_usual_size() {}
