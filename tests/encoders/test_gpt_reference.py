"""`gpt-2018` computes what OpenAI GPT of transformers computes from the same weights; skipped without transformers."""

import pytest
import torch

from langnet.encoders.registry import build_encoder


@pytest.mark.slow
def test_openai_gpt():
    transformers = pytest.importorskip("transformers")
    ours = build_encoder("gpt-2018", "tiny", 60, seed=0).eval()
    config = transformers.OpenAIGPTConfig(vocab_size=60, n_positions=128, n_embd=128, n_layer=2, n_head=2, afn="gelu")
    theirs = transformers.OpenAIGPTLMHeadModel(config).eval()
    with torch.no_grad():
        for parameter in ours.parameters():  # gains and biases too, so that none can be left out unseen
            parameter.add_(torch.randn_like(parameter), alpha=0.05)
        body = theirs.transformer
        body.tokens_embed.weight.copy_(ours.token_embedding.weight)
        body.positions_embed.weight.copy_(ours.position_embedding.weight)
        for mine, block in zip(ours.blocks, body.h, strict=True):
            block.attn.c_attn.weight.copy_(mine.attention.qkv.flatten(0, 1).T)
            block.attn.c_attn.bias.copy_(mine.attention.qkv_bias)
            for linear, conv in (
                (mine.attention.output, block.attn.c_proj),
                (mine.feedforward.inner, block.mlp.c_fc),
                (mine.feedforward.output, block.mlp.c_proj),
            ):
                conv.weight.copy_(linear.weight.T)
                conv.bias.copy_(linear.bias)
            for norm, other in ((mine.norm1, block.ln_1), (mine.norm2, block.ln_2)):
                other.weight.copy_(norm.weight)
                other.bias.copy_(norm.bias)
        theirs.tie_weights()
        ids = torch.randint(60, (3, 50), generator=torch.Generator().manual_seed(1))
        expected = theirs(ids, output_hidden_states=True)
        encoding = ours(ids)
    for mine, other in zip(encoding.layers, expected.hidden_states, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(ours.logits(encoding.top), expected.logits, atol=1e-4, rtol=1e-4)
