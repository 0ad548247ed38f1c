//! Reading what `lp` and `lpstat` of CUPS print in the C locale. The samples in the tests are CUPS 2.4.2's.

/// Whether `lpstat -r` found a scheduler. It calls the other case a success too.
pub fn is_running(answer: &str) -> bool {
    answer.lines().any(|line| line == "scheduler is running")
}

/// The printer that `lpstat -d` names.
pub fn default_printer(answer: &str) -> Option<String> {
    answer.lines().find_map(|line| line.strip_prefix("system default destination: ")).map(str::to_owned)
}

/// The printers of `lpstat -e`, one a line.
pub fn names(answer: &str) -> impl Iterator<Item = &str> {
    answer.lines().map(str::trim).filter(|name| !name.is_empty())
}

/// The job of `printer` that `lp` made: its name and its number.
pub fn job<'a>(answer: &'a str, printer: &str) -> Option<(&'a str, u32)> {
    let job = answer.lines().find_map(|line| line.strip_prefix("request id is "))?.split(' ').next()?;
    let number = job.strip_prefix(printer)?.strip_prefix('-')?;
    Some((job, number.parse().ok()?))
}

/// Where the scheduler listens, by `lpstat -H`.
pub fn server(answer: &str) -> &str {
    answer.trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheduler_that_does_not_run_is_told_from_one_that_does() {
        assert!(is_running("scheduler is running\n"));
        assert!(!is_running("scheduler is not running\n"));
        assert!(!is_running(""));
    }

    #[test]
    fn the_default_printer_is_named_or_there_is_none() {
        assert_eq!(default_printer("system default destination: PDF\n").as_deref(), Some("PDF"));
        assert_eq!(default_printer("no system default destination\n"), None);
    }

    #[test]
    fn printers_are_one_a_line() {
        assert_eq!(names("Caja_1\nPDF\n\n").collect::<Vec<_>>(), ["Caja_1", "PDF"]);
    }

    #[test]
    fn a_job_is_the_printers_name_and_a_number() {
        assert_eq!(job("request id is PDF-12 (1 file(s))\n", "PDF"), Some(("PDF-12", 12)));
        assert_eq!(job("request id is Caja-1-7 (1 file(s))\n", "Caja-1"), Some(("Caja-1-7", 7)));
        for strange in ["", "lp: Error", "request id is PDF- (1 file(s))", "request id is Otra-1 (1 file(s))"]
        {
            assert_eq!(job(strange, "PDF"), None, "{strange}");
        }
    }
}
