import { Modal } from "@mantine/core";
import { NewToken } from "./NewToken.tsx";

export function AddMachine({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Add a machine" size="lg">
      <NewToken />
    </Modal>
  );
}
