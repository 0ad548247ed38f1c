//! How many items the next batch may hold, during one delivery.
//!
//! A batch that is refused as a whole is too large for the server or for something on the way, or one of its items is what
//! nobody can read. Which of the two it is tells the last one standing: once an item alone was refused it was that item's
//! fault, and batches grow again; while none is, they stay as small as they had to become.

/// The size of the next batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchSize {
    most: usize,
    now: usize,
    grows: bool,
}

impl BatchSize {
    /// Begins with `most` items.
    pub(crate) const fn new(most: usize) -> Self {
        Self { most, now: most, grows: false }
    }

    /// At most so many items; 0: no other batch is begun.
    pub(crate) const fn get(self) -> usize {
        self.now
    }

    /// A batch was taken in.
    pub(crate) fn taken_in(&mut self) {
        if self.grows {
            self.now = self.now.saturating_mul(2).min(self.most);
        }
    }

    /// A batch of `items` was refused as a whole.
    pub(crate) fn refused(&mut self, items: usize) {
        self.grows = items == 1;
        self.now = self.now.min((items / 2).max(1));
    }

    /// A batch did not get through.
    pub(crate) const fn stop(&mut self) {
        self.now = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a delivery of `items` costs: how many batches are sent until each was taken in or refused alone.
    fn batches(items: usize, is_refused: impl Fn(&[usize]) -> bool) -> (usize, Vec<usize>) {
        let mut size = BatchSize::new(500);
        let (mut waiting, mut alone, mut sent): (Vec<usize>, _, _) = ((0..items).collect(), Vec::new(), 0);
        while !waiting.is_empty() {
            let batch = &waiting[..size.get().min(waiting.len())];
            sent += 1;
            if !is_refused(batch) {
                size.taken_in();
                waiting.drain(..batch.len());
                continue;
            }
            size.refused(batch.len());
            if batch.len() == 1 {
                alone.push(waiting.remove(0));
            }
        }
        (sent, alone)
    }

    #[test]
    fn a_limit_on_the_way_is_met_once() {
        let (sent, alone) = batches(5_000, |batch| batch.len() > 40);
        assert_eq!((sent, alone), (4 + 5_000_usize.div_ceil(31), vec![]));
    }

    #[test]
    fn one_item_that_nobody_can_read_does_not_slow_down_the_others() {
        let (sent, alone) = batches(5_000, |batch| batch.contains(&700));
        assert_eq!(alone, [700]);
        assert!(sent < 40, "{sent} batches");
    }

    #[test]
    fn a_server_that_refuses_everything_is_sent_each_item_once_alone() {
        let (sent, alone) = batches(1_000, |_| true);
        assert_eq!((sent, alone.len()), (1_008, 1_000));
    }

    #[test]
    fn nothing_is_begun_after_a_batch_that_did_not_get_through() {
        let mut size = BatchSize::new(500);
        size.refused(1);
        size.stop();
        size.taken_in();
        size.refused(500);
        assert_eq!(size.get(), 0);
    }
}
