"""Images to tokens: patches, their linear embedding, DeiT's hMLP stem, and a stem of convolutions.

Shape legend: B batch, C channels, p patch size, N = (height / p) * (width / p) patches in reading order, D width.

Sources: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2020), https://arxiv.org/abs/2010.11929, section 3.1 and
equation 1; Touvron et al., "Three things everyone should know about Vision Transformers" (2022),
https://arxiv.org/abs/2203.09795 (the hierarchical MLP stem); Xiao et al., "Early Convolutions Help Transformers See
Better" (2021), https://arxiv.org/abs/2106.14881 (the convolutional stem).
"""

from einops import rearrange
from torch import Tensor, nn


def patchify(images: Tensor, patch_size: int) -> Tensor:
    """Cuts images (B, C, height, width) into flat patches (B, N, C * p * p), channel first inside each patch.

    A linear layer on these patches is the convolution of `PatchEmbed` with ``weight.flatten(1)``.

    Raises:
        ValueError: the patch size does not divide height and width.
    """
    height, width = images.shape[-2:]
    if height % patch_size or width % patch_size:
        raise ValueError(f"an image of {height} x {width} pixels cannot be cut into patches of {patch_size}")
    return rearrange(images, "b c (h p1) (w p2) -> b (h w) (c p1 p2)", p1=patch_size, p2=patch_size)


def unpatchify(patches: Tensor, patch_size: int, height: int, width: int) -> Tensor:
    """Puts patches (B, N, C * p * p) back together: the inverse of `patchify`, images (B, C, height, width).

    Raises:
        ValueError: the number or the size of the patches does not match.
    """
    rows, columns = height // patch_size, width // patch_size
    if height % patch_size or width % patch_size or patches.shape[-2] != rows * columns:
        raise ValueError(f"{patches.shape[-2]} patches of {patch_size} do not make {height} x {width} pixels")
    if patches.shape[-1] % patch_size**2:
        raise ValueError(f"a patch of {patches.shape[-1]} numbers is not {patch_size} x {patch_size} pixels")
    return rearrange(patches, "b (h w) (c p1 p2) -> b c (h p1) (w p2)", h=rows, p1=patch_size, p2=patch_size)


class _Stem(nn.Module):
    """What the stems share: the grid of patches and the check of the image that comes in."""

    def __init__(self, image_size: int, patch_size: int, in_chans: int):
        super().__init__()
        if image_size % patch_size:
            raise ValueError(f"image_size must be a multiple of patch_size, got {image_size} and {patch_size}")
        self.image_size, self.patch_size, self.in_chans = image_size, patch_size, in_chans
        self.num_patches = (image_size // patch_size) ** 2

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, C, height, width) to tokens (B, N, D).

        Raises:
            ValueError: the images have another size or number of channels than the stem was made for.
        """
        wanted = (self.in_chans, self.image_size, self.image_size)
        if images.ndim != 4 or tuple(images.shape[1:]) != wanted:
            raise ValueError(f"images must have shape (B, {', '.join(map(str, wanted))}), got {tuple(images.shape)}")
        return self.proj(images).flatten(2).transpose(1, 2)


class PatchEmbed(_Stem):
    """Patches through one linear layer, as a convolution whose stride is its kernel (Dosovitskiy et al., equation 1).

    Raises:
        ValueError: the patch size does not divide the image size.
    """

    def __init__(self, image_size: int = 224, patch_size: int = 16, in_chans: int = 3, dim: int = 768):
        super().__init__(image_size, patch_size, in_chans)
        self.proj = nn.Conv2d(in_chans, dim, kernel_size=patch_size, stride=patch_size)


class HierarchicalMLPStem(_Stem):
    """DeiT's hMLP: patches of 4, joined to 8 and 16 pixels, each step a patch-wise linear layer with batch norm.

    No step mixes two final patches, so masking or permuting patches commutes with it in evaluation. Touvron et al.
    2022, appendix C (code); keys as in DeiT (``proj.0``, ``proj.1``, ``proj.3``, …).

    Raises:
        ValueError: the patch size is not 16 (the only one that the stem makes), the image size is no multiple of it,
            or ``dim`` is no multiple of 4.
    """

    def __init__(self, image_size: int = 224, patch_size: int = 16, in_chans: int = 3, dim: int = 768):
        super().__init__(image_size, patch_size, in_chans)
        if patch_size != 16:
            raise ValueError(f"the hMLP stem makes patches of 16 pixels only, got patch_size={patch_size}")
        if dim % 4:
            raise ValueError(f"the hMLP stem needs a dim that is a multiple of 4, got dim={dim}")
        self.proj = nn.Sequential(
            nn.Conv2d(in_chans, dim // 4, kernel_size=4, stride=4),
            nn.BatchNorm2d(dim // 4),
            nn.GELU(),
            nn.Conv2d(dim // 4, dim // 4, kernel_size=2, stride=2),
            nn.BatchNorm2d(dim // 4),
            nn.GELU(),
            nn.Conv2d(dim // 4, dim, kernel_size=2, stride=2),
            nn.BatchNorm2d(dim),
        )


class ConvolutionalStem(_Stem):
    """Convolutions of 3 x 3 pixels with stride 2, as many as it takes, then one of 1 x 1 to the width of the tokens.

    Each but the first is followed by another of stride 1 at the same size; the channels begin with 32 and double. A
    patch sees its neighbours here, before any attention. A ViT with such a stem is easier to train (Xiao et al. 2021,
    who have one convolution for each size).

    Raises:
        ValueError: the patch size is not a power of 2, or does not divide the image size.
    """

    def __init__(self, image_size: int = 224, patch_size: int = 16, in_chans: int = 3, dim: int = 768):
        super().__init__(image_size, patch_size, in_chans)
        halvings = patch_size.bit_length() - 1
        if patch_size != 1 << halvings or halvings == 0:
            raise ValueError(f"the convolutional stem needs a patch_size that is a power of 2, got {patch_size}")
        layers, channels = [], in_chans
        for halving in range(halvings):
            width = min(dim, 32 << halving)
            layers += _convolution(channels, width, stride=2)
            if halving:
                layers += _convolution(width, width, stride=1)
            channels = width
        self.proj = nn.Sequential(*layers, nn.Conv2d(channels, dim, kernel_size=1))


def _convolution(channels: int, width: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(channels, width, kernel_size=3, stride=stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(width), nn.ReLU()]
