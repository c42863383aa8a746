"""Adapters of PEFT from packed folders."""

import unittest

import torch
from peft import LoraConfig, PeftModel, get_peft_model

import swzip
import swzip.peft
from models import TOKENS, WAYS, LoaderTest, llama


def adapter(folder, seed):
    """Saves an adapter that changes what the model says."""
    model = get_peft_model(llama(), LoraConfig(r=4, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
    torch.manual_seed(seed)
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(folder)
    return folder


class PeftTest(LoaderTest):
    def test_what_the_plain_folder_gives(self):
        plain = adapter(self.folder / "adapter", 1)
        for way in WAYS:
            packed = self.packed(plain, way)
            for trainable in (False, True):
                wanted = PeftModel.from_pretrained(llama(), plain, is_trainable=trainable)
                found = swzip.peft.from_pretrained(llama(), packed, is_trainable=trainable)
                self.assert_same_tensors(found.state_dict(), wanted.state_dict())
                self.assertEqual([parameter.requires_grad for parameter in found.parameters()],
                                 [parameter.requires_grad for parameter in wanted.parameters()])
                self.assertFalse(torch.equal(found(TOKENS).logits, llama()(TOKENS).logits))
                self.assertTrue(torch.equal(found(TOKENS).logits, wanted(TOKENS).logits))

    def test_a_step_of_training(self):
        plain = adapter(self.folder / "adapter", 1)
        models = [PeftModel.from_pretrained(llama(), plain, is_trainable=True),
                  swzip.peft.from_pretrained(llama(), self.packed(plain, "each"), is_trainable=True)]
        before = {name: tensor.clone() for name, tensor in models[1].state_dict().items()}
        for model in models:
            optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=0.01)
            model.eval()(input_ids=TOKENS, labels=TOKENS).loss.backward()
            optimizer.step()
        after = models[1].state_dict()
        self.assert_same_tensors(after, models[0].state_dict())
        changed = [name for name in after if not torch.equal(after[name], before[name])]
        self.assertTrue(changed)
        self.assertTrue(all("lora" in name for name in changed))

    def test_a_second_adapter(self):
        model = swzip.peft.from_pretrained(llama(), self.packed(adapter(self.folder / "one", 1), "each"), "one")
        again = swzip.peft.from_pretrained(model, self.packed(adapter(self.folder / "two", 2), "one"), "two")
        self.assertIs(again, model)
        self.assertEqual(sorted(model.peft_config), ["one", "two"])

    def test_mistakes(self):
        (self.folder / "empty").mkdir()
        with self.assertRaisesRegex(swzip.SwzipError, "holds no adapter_config.json"):
            swzip.peft.from_pretrained(llama(), self.folder / "empty")


if __name__ == "__main__":
    unittest.main()
