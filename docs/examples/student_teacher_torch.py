"""A student in torch learns a teacher's features and the images of normal textures; where it fails, is an anomaly."""

import torch
from torch import Tensor, nn

import anomaly_kernels as ak
import anomaly_kernels.torch as akt

SIDE = 64


def draw_textures(count: int, seed: int, *, with_anomalies: bool = False) -> tuple[Tensor, Tensor]:
    """Woven textures in [0, 1], (N, 1, 64, 64), of any phase; in some a patch is woven the other way, or is torn."""
    generator = torch.Generator().manual_seed(seed)
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    phase = 2 * torch.pi * torch.rand(2, count, 1, 1, generator=generator)
    right, left = 0.9 * rows + 0.5 * columns, 0.5 * rows - 0.9 * columns
    weave = torch.sin(right + phase[0]) + 0.5 * torch.sin(left + phase[1])
    other = torch.sin(left + phase[0]) + 0.5 * torch.sin(right + phase[1])
    mask = torch.zeros(count, SIDE, SIDE, dtype=torch.bool)
    if with_anomalies:
        for k in range(0, count, 2):
            side = int(torch.randint(6, 20, (), generator=generator))
            top, start = torch.randint(0, SIDE - side, (2,), generator=generator).tolist()
            mask[k, top : top + side, start : start + side] = True
            weave[k] = torch.where(mask[k], other[k] if k % 4 else 0.3 * weave[k], weave[k])
    images = 0.5 + 0.25 * weave + 0.05 * torch.randn(count, SIDE, SIDE, generator=generator)
    return images.clamp(0, 1)[:, None], mask


def make_teacher(seed: int = 0) -> nn.Module:
    """Random filters, which nobody trains: a network that has seen many images would be a better teacher."""
    torch.manual_seed(seed)
    layers = nn.Conv2d(1, 32, 5, 2, 2), nn.LeakyReLU(0.1), nn.Conv2d(32, 32, 3, 1, 1)
    return nn.Sequential(*layers).requires_grad_(False)  # noqa: FBT003


def layer(channels: int, filters: int, size: int, stride: int = 1) -> nn.Module:
    """Filters, and what makes them learn fast."""
    return nn.Sequential(nn.Conv2d(channels, filters, size, stride, size // 2), nn.BatchNorm2d(filters), nn.ReLU())


class Student(nn.Module):
    """Images through a bottleneck, to the teacher's features and back to images."""

    def __init__(self) -> None:
        super().__init__()
        encoder = layer(1, 16, 5, 2), layer(16, 32, 3, 2), nn.Conv2d(32, 4, 3, 2, 1)
        decoder = layer(4, 32, 3), nn.Upsample(scale_factor=2), layer(32, 32, 3), nn.Upsample(scale_factor=2)
        self.hidden = nn.Sequential(*encoder, *decoder, layer(32, 16, 3))
        self.features = nn.Conv2d(16, 32, 3, 1, 1)
        self.images = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(16, 1, 5, 1, 2))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.hidden(images)
        return self.features(hidden), self.images(hidden)


def train(teacher: nn.Module, images: Tensor, steps: int = 160, seed: int = 0) -> Student:
    """Fit features by their directions at each position, and images by their structure."""
    torch.manual_seed(seed)
    student = Student()
    of_features, of_images = akt.CosineDistanceLoss(axis=1), akt.SSIMLoss(data_range=1.0)
    optimizer = torch.optim.Adam(student.parameters(), lr=1e-2)
    for _ in range(steps):
        batch = images[torch.randint(len(images), (16,))]
        features, rebuilt = student(batch)
        optimizer.zero_grad()
        (of_features(features, teacher(batch)) + of_images(rebuilt, batch)).backward()
        optimizer.step()
    return student.eval()


def score(teacher: nn.Module, student: Student, images: Tensor) -> dict[str, Tensor]:
    """Anomaly maps of the size of the images: by features, and by structure."""
    with torch.no_grad():
        features, rebuilt = student(images)
        distance = ak.cosine_distance_loss(teacher(images), features, axis=1, reduction="none")
        structure = ak.ssim_loss(images, rebuilt, data_range=1.0, border="symmetric", reduction="none")
    by_features = nn.functional.interpolate(distance[:, None], size=(SIDE, SIDE), mode="bilinear")
    return {"features": by_features[:, 0], "structure": structure[:, 0]}


def main() -> dict[str, float]:
    """Train on normal textures; say how well the maps find the anomalies of others, and how they would untrained."""
    teacher = make_teacher()
    student = train(teacher, draw_textures(128, seed=0)[0])
    images, mask = draw_textures(32, seed=1, with_anomalies=True)
    maps, untrained = score(teacher, student, images), score(teacher, Student(), images)
    maps["both"] = maps["features"] / maps["features"].mean() + maps["structure"] / maps["structure"].mean()
    figures = {f"AUPRO by {name}": float(ak.aupro(mask, each)) for name, each in maps.items()}
    return figures | {f"AUPRO by {name}, untrained": float(ak.aupro(mask, x)) for name, x in untrained.items()}


if __name__ == "__main__":
    for name, value in main().items():
        print(f"{name:32} {value:.3f}")
