//! PyTorch's CPU generator, as far as the reference uses it: the initial head and the order of the training rows.

use rand_mt::Mt;

/// `torch.Generator().manual_seed(seed)`: a Mersenne Twister.
pub struct TorchGenerator {
    mt: Mt,
}

impl TorchGenerator {
    /// Seeds it as `manual_seed` does.
    pub fn new(seed: u32) -> Self {
        Self { mt: Mt::new(seed) }
    }

    /// `torch.randperm(n)`: the numbers `0..n` in random order.
    pub fn randperm(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in 0..n.saturating_sub(1) {
            let jump = self.mt.next_u32() as usize % (n - i);
            order.swap(i, i + jump);
        }
        order
    }

    /// `torch.empty(n).normal_(mean=0, std)` in f32. PyTorch draws 16 values at a time by the Box-Muller transform; for fewer
    /// than 16 values it draws them another way, which is not followed here: 16 are drawn and the first `n` kept.
    pub fn normal(&mut self, n: usize, std: f32) -> Vec<f32> {
        let mut values: Vec<f32> = (0..n.max(16)).map(|_| self.uniform()).collect();
        let whole = values.len() / 16 * 16;
        for block in values[..whole].chunks_exact_mut(16) {
            box_muller(block, std);
        }
        // The last, incomplete block is drawn anew together with the values before it.
        if whole < values.len() {
            let start = values.len() - 16;
            for value in &mut values[start..] {
                *value = self.uniform();
            }
            box_muller(&mut values[start..], std);
        }
        values.truncate(n);
        values
    }

    /// `torch.empty(n).uniform_(-bound, bound)` in f32.
    pub fn uniform_between(&mut self, n: usize, bound: f32) -> Vec<f32> {
        let value = |_| self.uniform() * (2.0 * bound) - bound;
        (0..n).map(value).collect()
    }

    /// A multiple of 2⁻²⁴ in `[0, 1)`.
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
    fn permutations_hold_every_number_once() {
        let mut order = TorchGenerator::new(42).randperm(80);
        assert_ne!(order, (0..80).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..80).collect::<Vec<_>>());
        assert!(TorchGenerator::new(42).randperm(0).is_empty());
    }

    #[test]
    fn uniform_values_are_torchs() {
        let values = TorchGenerator::new(7).uniform_between(5, 0.25);
        // torch.empty(5).uniform_(-0.25, 0.25, generator=torch.Generator().manual_seed(7))
        let torchs = [
            0.017_461_27,
            -0.150_598_4,
            0.079_605_85,
            0.078_445_14,
            -0.133_619_22,
        ];
        for (value, torchs) in values.iter().zip(torchs) {
            assert!((value - torchs).abs() < 1e-7, "{value} instead of {torchs}");
        }
    }

    #[test]
    fn normal_values_have_the_deviation_asked_for() {
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
