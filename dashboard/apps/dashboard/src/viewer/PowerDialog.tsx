import type { Machine, PowerAction } from "@guruconnect/api";
import { Button, Group, Modal, NumberInput, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "../account/account.tsx";
import { Refusal } from "../components/states.tsx";
import { useToast } from "../components/toasts.tsx";
import { isSafeMode, POWER } from "./power.ts";

const DEFAULT_MINUTES = 15;

/** Says what will happen, and does it when that is confirmed. */
export function PowerDialog({
  machine,
  action,
  onClose,
}: {
  machine: Machine;
  action: PowerAction;
  onClose: () => void;
}) {
  const api = useApi();
  const toast = useToast();
  const [typed, setTyped] = useState("");
  const [minutes, setMinutes] = useState<number | string>(DEFAULT_MINUTES);
  const { label, consequence, danger = false } = POWER[action];
  const confirmed = !danger || typed.trim() === machine.name;
  const order = useMutation({
    mutationFn: () =>
      api.orderPower(machine.id, action, {
        ...(danger && { confirmation: typed }),
        ...(isSafeMode(action) && { return_after_minutes: Number(minutes) }),
      }),
    onSuccess: () => {
      toast(`${machine.name}: ${label}.`);
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (confirmed) order.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={`${label}: ${machine.name}`}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Text>{consequence}</Text>
          {isSafeMode(action) && (
            <NumberInput
              label="Minutes until it restarts by itself"
              min={5}
              max={120}
              allowDecimal={false}
              required
              withAsterisk={false}
              value={minutes}
              onChange={setMinutes}
            />
          )}
          {danger && (
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
          )}
          <Refusal error={order.error} />
          <Group justify="flex-end" gap="xs">
            <Button
              variant="default"
              onClick={onClose}
              {...(!danger && { "data-autofocus": true })}
            >
              Cancel
            </Button>
            <Button type="submit" color="red" loading={order.isPending} disabled={!confirmed}>
              {label}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
