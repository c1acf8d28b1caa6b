//! PyTorch's CPU [generator][torch], for the initial classifier, LoRA matrices and the order of the training rows.
//!
//! [torch]: https://docs.pytorch.org/docs/stable/generated/torch.Generator.html

use rand_mt::Mt;

/// `torch.Generator().manual_seed(seed)`: a Mersenne Twister.
pub struct TorchGenerator {
    mt: Mt,
}

impl TorchGenerator {
    /// Seeds the generator as `manual_seed` does.
    pub fn new(seed: u32) -> Self {
        Self { mt: Mt::new(seed) }
    }

    /// Returns the numbers `0..n` in random order: `torch.randperm(n)`.
    pub fn randperm(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in 0..n.saturating_sub(1) {
            let offset = self.mt.next_u32() as usize % (n - i);
            order.swap(i, i + offset);
        }
        order
    }

    /// Draws normal values of mean 0 in f32: `torch.empty(n).normal_(0, std)`. PyTorch draws 16 values at a time by the
    /// Box-Muller transform. For fewer than 16 values it uses another method; this one draws 16 and keeps the first
    /// `n`.
    pub fn normal(&mut self, n: usize, std: f32) -> Vec<f32> {
        let mut values: Vec<f32> = (0..n.max(16)).map(|_| self.uniform()).collect();
        let complete = values.len() / 16 * 16;
        for block in values[..complete].chunks_exact_mut(16) {
            box_muller(block, std);
        }
        // PyTorch redraws the last 16 values if the last block is incomplete.
        if complete < values.len() {
            let start = values.len() - 16;
            for value in &mut values[start..] {
                *value = self.uniform();
            }
            box_muller(&mut values[start..], std);
        }
        values.truncate(n);
        values
    }

    /// Draws uniform values in f32: `torch.empty(n).uniform_(-bound, bound)`.
    pub fn uniform_between(&mut self, n: usize, bound: f32) -> Vec<f32> {
        let value = |_| self.uniform() * (2.0 * bound) - bound;
        (0..n).map(value).collect()
    }

    /// Draws a multiple of 2⁻²⁴ in `[0, 1)`.
    fn uniform(&mut self) -> f32 {
        (self.mt.next_u32() & 0xff_ffff) as f32 / 16_777_216.0
    }
}

fn box_muller(block: &mut [f32], std: f32) {
    for at in 0..8 {
        let (u1, u2) = (1.0 - block[at], block[at + 8]);
        let radius = (-2.0 * u1.ln()).sqrt();
        let theta = std::f32::consts::TAU * u2;
        block[at] = radius * theta.cos() * std;
        block[at + 8] = radius * theta.sin() * std;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permutations_contain_every_number_once() {
        let mut order = TorchGenerator::new(42).randperm(80);
        assert_ne!(order, (0..80).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..80).collect::<Vec<_>>());
        assert!(TorchGenerator::new(42).randperm(0).is_empty());
    }

    #[test]
    fn uniform_values_match_torch() {
        let values = TorchGenerator::new(7).uniform_between(5, 0.25);
        // torch.empty(5).uniform_(-0.25, 0.25, generator=torch.Generator().manual_seed(7))
        let expected = [
            0.017_461_27,
            -0.150_598_4,
            0.079_605_85,
            0.078_445_14,
            -0.133_619_22,
        ];
        for (value, expected) in values.iter().zip(expected) {
            assert!(
                (value - expected).abs() < 1e-7,
                "{value} instead of {expected}"
            );
        }
    }

    #[test]
    fn normal_values_have_the_given_standard_deviation() {
        for n in [5, 16, 1000, 1003] {
            let values = TorchGenerator::new(7).normal(n, 0.02);
            assert_eq!(values.len(), n);
            let mean = values.iter().sum::<f32>() / n as f32;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n as f32;
            if n >= 1000 {
                assert!(mean.abs() < 0.002, "{mean}");
                assert!((variance.sqrt() - 0.02).abs() < 0.001);
            }
        }
    }
}
