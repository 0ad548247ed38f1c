//! One suite for every implementation of a trait. (The server's stores have theirs beside the trait.)

mod vault;
