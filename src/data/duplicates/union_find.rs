//! Disjoint sets of rows.

/// Disjoint sets of the numbers `0..n`; a set is named after its smallest number.
#[derive(Debug, Default)]
pub(super) struct UnionFind {
    parents: Vec<u32>,
}

impl UnionFind {
    /// Adds the next number as a set of its own.
    pub(super) fn add(&mut self) {
        self.parents.push(self.parents.len() as u32);
    }

    /// The smallest number of the set.
    pub(super) fn find(&mut self, mut at: u32) -> u32 {
        while self.parents[at as usize] != at {
            let grandparent = self.parents[self.parents[at as usize] as usize];
            self.parents[at as usize] = grandparent;
            at = grandparent;
        }
        at
    }

    /// Joins two sets.
    pub(super) fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        self.parents[a.max(b) as usize] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_sets_under_their_smallest_number() {
        let mut sets = UnionFind::default();
        (0..6).for_each(|_| sets.add());
        sets.join(5, 3);
        sets.join(1, 2);
        sets.join(3, 2);
        let found: Vec<u32> = (0..6).map(|at| sets.find(at)).collect();
        assert_eq!(found, [0, 1, 1, 1, 4, 1]);
    }
}
