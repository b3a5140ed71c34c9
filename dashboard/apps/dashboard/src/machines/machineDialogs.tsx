import type { Machine } from "@guruconnect/api";
import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useNavigate } from "react-router";
import { useApi } from "../account/account.tsx";
import { Refusal } from "../components/states.tsx";
import { useToast } from "../components/toasts.tsx";
import { applyLiveEvent } from "../live.tsx";

interface DialogProps {
  machine: Machine;
  onClose: () => void;
}

export function RenameMachine({ machine, onClose }: DialogProps) {
  const api = useApi();
  const queries = useQueryClient();
  const [name, setName] = useState(machine.name);
  const rename = useMutation({
    mutationFn: () => api.renameMachine(machine.id, name.trim()),
    onSuccess: (renamed) => {
      applyLiveEvent(queries, { kind: "machine", machine: renamed });
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate();
  };
  return (
    <Modal opened onClose={onClose} title="Rename machine">
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput
            label="Name"
            description={`The machine calls itself ${machine.host_name}.`}
            value={name}
            maxLength={100}
            required
            withAsterisk={false}
            data-autofocus
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Refusal error={rename.error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={rename.isPending} disabled={name.trim() === ""}>
              Rename
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

export function RevokeMachineKey({ machine, onClose }: DialogProps) {
  const api = useApi();
  const toast = useToast();
  const revoke = useMutation({
    mutationFn: () => api.revokeMachineKey(machine.id),
    onSuccess: () => {
      toast(`The key of ${machine.name} was revoked.`);
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title="Revoke the machine's key?">
      <Stack gap="sm">
        <Text>
          {machine.name} is disconnected at once and can only come back by enrolling again with a
          new token. Its history stays.
        </Text>
        <Refusal error={revoke.error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button color="red" loading={revoke.isPending} onClick={() => revoke.mutate()}>
            Revoke the key
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

export function RemoveMachine({ machine, onClose }: DialogProps) {
  const api = useApi();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const [typed, setTyped] = useState("");
  const remove = useMutation({
    mutationFn: () => api.removeMachine(machine.id),
    onSuccess: () => {
      applyLiveEvent(queries, { kind: "machine_removed", id: machine.id });
      toast(`${machine.name} was removed.`);
      navigate("/");
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (typed.trim() === machine.name) remove.mutate();
  };
  return (
    <Modal opened onClose={onClose} title="Remove this machine?">
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Text>
            Its sessions are ended and its key stops working. The audit log keeps what was done.
          </Text>
          <TextInput
            label={
              <>
                Type <strong>{machine.name}</strong> to confirm
              </>
            }
            value={typed}
            autoComplete="off"
            spellCheck={false}
            data-autofocus
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
          <Refusal error={remove.error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button
              type="submit"
              color="red"
              loading={remove.isPending}
              disabled={typed.trim() !== machine.name}
            >
              Remove
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
