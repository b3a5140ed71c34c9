import "@mantine/core/styles.layer.css";
import "./global.css";
import { ApiClient } from "@guruconnect/api";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";
import { App } from "./App.tsx";
import { createQueryClient } from "./queries.ts";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

createRoot(root).render(
  <BrowserRouter>
    <App api={new ApiClient()} queries={createQueryClient()} />
  </BrowserRouter>,
);
