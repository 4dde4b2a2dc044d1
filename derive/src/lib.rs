//! The derive macros of rowmill.
